"""The use cases. Each leaves its changes pending in the caller's transaction."""
