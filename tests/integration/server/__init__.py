"""The server as a process, over real sockets."""
