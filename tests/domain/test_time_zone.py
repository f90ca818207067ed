"""Time zones come from the pinned package, whatever the machine has."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path
from string import ascii_lowercase

import pytest

from app.domain import time_zone
from app.domain.time_zone import is_time_zone, time_zone_version, time_zones, zone


def test_the_version_is_that_of_the_pinned_package() -> None:
    year, number = metadata.version("tzdata").split(".")
    assert time_zone_version() == year + ascii_lowercase[int(number) - 1]


def test_every_name_has_its_rules() -> None:
    assert len(time_zones()) > 500
    for name in time_zones():
        assert zone(name).key == name


@pytest.fixture
def only_utopia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of time zones that knows one zone, which no system has."""
    package = tmp_path / "utopian"
    (package / "zoneinfo").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "zones").write_text("Utopia\nFactory\n")
    rules = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Kathmandu").read_bytes()
    (package / "zoneinfo" / "Utopia").write_bytes(rules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(time_zone, "DATABASE", "utopian")
    _forget()
    yield
    _forget()


def _forget() -> None:
    time_zones.cache_clear()
    zone.cache_clear()


@pytest.mark.usefixtures("only_utopia")
def test_names_and_rules_come_from_the_package_and_not_from_the_system() -> None:
    assert time_zones() == {"Utopia"}
    at = datetime(2026, 1, 1, tzinfo=UTC).astimezone(zone("Utopia"))
    assert f"{at:%H:%M %z}" == "05:45 +0545"
    assert not is_time_zone("Europe/Berlin")


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "Factory", "localtime", "Europe"])
def test_a_name_that_is_no_zone_says_what_one_looks_like(name: str) -> None:
    assert not is_time_zone(name)
    with pytest.raises(ValueError, match="use an IANA name like Europe/Berlin"):
        zone(name)
