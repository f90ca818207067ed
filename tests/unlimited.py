"""Tests ask far more often than anybody may. Those of the limits themselves set their own."""

SETTINGS = {f"rate_limit_{what}": "0" for what in ("logins", "writes", "reads", "ingest")}
ENVIRONMENT = {f"TOCSIN_{name.upper()}": value for name, value in SETTINGS.items()}
