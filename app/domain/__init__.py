"""Rules that need nothing but their inputs: no I/O, no clock, no framework."""
