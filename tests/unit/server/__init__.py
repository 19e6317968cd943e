"""The server's rooms, each by itself, on a real disk."""
