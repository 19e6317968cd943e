"""LakeDrop's lake server: embedded by default, deployable on its own."""
