"""What happened: syncs and uploads."""
