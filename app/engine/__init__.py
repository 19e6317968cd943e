"""Headless use cases on plain threads."""
