"""The engine, the embedded server, and the only place where a transaction ends."""
