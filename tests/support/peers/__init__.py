"""Other people's programs, run as they come against the real server."""
