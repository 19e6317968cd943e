"""Who may come in, and how long a connection may take; nothing of what is behind."""
