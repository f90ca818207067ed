"""The only SQL. Takes a session, returns rows or None; ends no transaction, decides nothing."""
