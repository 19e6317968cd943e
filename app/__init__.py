"""LakeDrop's desktop client and its headless command line."""
