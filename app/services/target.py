"""Addresses that Tocsin shall send to: refused when they are given if nothing would ever arrive.

Of a URL only what it says itself counts here. What a name stands for is looked up, and judged,
each time that something is sent.
"""

from collections.abc import Callable

from app.core.errors import InvalidInputError

# Why nothing would be sent to a URL, as far as it says so itself; None: it may be.
Objection = Callable[[str], str | None]


class InvalidAddressError(InvalidInputError):
    """Nothing can be sent there; `details.errors` names the place."""

    code = "INVALID_ADDRESS"

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place}: {why}", errors=[{"path": place, "message": why}])


def require_callable(url: str, objection: Objection, *, place: str = "url") -> None:
    """Refuse a URL that nothing would be sent to."""
    why = objection(url)
    if why is not None:
        raise InvalidAddressError(place, why)
