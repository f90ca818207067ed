"""People who are made up. Pure.

Nobody reads mail there: the name belongs to a domain that is reserved for examples. So nothing is
handed to any mail server for it, whatever is configured; it stays in the local outbox.
"""

MADE_UP = "demo.example.org"


def is_made_up(address: str) -> bool:
    """Whether somebody of the demo is meant."""
    return address.rpartition("@")[2].strip("> ").lower() == MADE_UP
