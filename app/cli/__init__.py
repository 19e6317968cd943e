"""The `lakedrop` commands: parse, ask the engine, print."""
