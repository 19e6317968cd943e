"""Adapters for the ports in `app.domain.ports`."""
