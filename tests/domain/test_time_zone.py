"""Time zones come from the pinned package, whatever the machine has."""

import re
import zoneinfo
from datetime import UTC, datetime
from importlib import metadata, resources

import pytest

from app.domain.time_zone import is_time_zone, time_zone_version, time_zones, zone


def test_the_version_is_that_of_the_pinned_package() -> None:
    assert time_zone_version() == metadata.version("tzdata")
    assert re.fullmatch(r"20\d\d\.\d+", time_zone_version())


def test_every_name_has_its_rules() -> None:
    assert len(time_zones()) > 500
    for name in time_zones():
        assert zone(name).key == name


def test_the_rules_are_read_from_the_package_and_not_from_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zoneinfo, "TZPATH", ("/nowhere",))
    rules = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Kathmandu").read_bytes()
    assert rules.startswith(b"TZif")
    zone.cache_clear()
    at = datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone("Asia/Kathmandu"))
    assert f"{at:%H:%M %z}" == "05:45 +0545"


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "Factory", "localtime", "Europe"])
def test_a_name_that_is_no_zone_says_what_one_looks_like(name: str) -> None:
    assert not is_time_zone(name)
    with pytest.raises(ValueError, match="use an IANA name like Europe/Berlin"):
        zone(name)
