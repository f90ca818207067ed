"""Which names are time zones: IANA's, and the same on every machine."""

from functools import cache
from zoneinfo import available_timezones

# Files that systems keep among the zones: the machine's own setting, and none at all.
NO_ZONES = {"localtime", "Factory", "posixrules"}


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - NO_ZONES)


def is_time_zone(name: str) -> bool:
    return name in _names()
