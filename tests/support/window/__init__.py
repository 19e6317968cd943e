"""The rig for tests of the real window: a screen, real pointer and keys, a probe that reads."""
