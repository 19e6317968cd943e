"""Pure rules of the client: no input or output, no Qt."""
