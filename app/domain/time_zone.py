"""Which names are time zones, and when their clocks change: the same on every machine.

Both come from the package `tzdata`, which is pinned, and never from the files of the system:
who is on call at an instant must not depend on the machine that is asked.
"""

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

DATABASE = "tzdata"
NO_ZONES = {"localtime", "Factory", "posixrules"}  # settings of a machine, and none at all


@cache
def time_zones() -> frozenset[str]:
    """Every name that is a time zone here."""
    names = resources.files(DATABASE).joinpath("zones").read_text(encoding="utf-8")
    return frozenset(names.split()) - NO_ZONES


def is_time_zone(name: str) -> bool:
    return name in time_zones()


@cache
def zone(name: str) -> ZoneInfo:
    """The pinned rules of a time zone; a name that is none is a ValueError."""
    if not is_time_zone(name):
        raise ValueError(f"“{name}” is not a time zone; use an IANA name like Europe/Berlin")
    with resources.files(DATABASE).joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


@cache
def time_zone_version() -> str:
    """Which release of IANA's data counts here, like 2026f."""
    with resources.files(DATABASE).joinpath("zoneinfo", "tzdata.zi").open(encoding="utf-8") as data:
        return data.readline().removeprefix("# version").strip()
