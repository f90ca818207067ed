"""The wire: what comes in is checked here, what goes out is shaped here."""
