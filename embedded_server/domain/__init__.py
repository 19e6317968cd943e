"""Pure rules of the server."""
