"""The local socket between engine and screens: messages, client, starter."""
