"""What people read: texts rendered from facts, in a sandbox, for the channels to carry."""
