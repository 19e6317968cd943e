"""The window: Qt only. It asks the engine over its socket and never waits for an answer."""
