"""Whatever is posted: no parser raises, and what it returns can be stored and paged."""

import json
from dataclasses import fields as fields_of
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.integration import IntegrationKind, Readings, Signal, Unreadable
from app.integrations import PARSERS, read

QUICK = settings(max_examples=150, deadline=None, database=None)
BOUNDS = {
    "title": 255,
    "description": 10_000,
    "service": 100,
    "source": 100,
    "url": 2000,
    "dedup_key": 255,
    "group_key": 255,
}
NAMES = st.sampled_from(
    [
        *("alerts", "new", "ongoing", "recovered", "all", "title", "description", "severity"),
        *("service", "status", "dedup_key", "tags", "labels", "url", "source", "annotations"),
        *("fingerprint", "groupKey", "truncatedAlerts", "externalURL", "generatorURL", "summary"),
        *("alertname", "instance", "rule.name", "rule", "id", "name", "alert", "context", "reason"),
        *("kibana.alert.uuid", "environment", "value", "threshold", "message", "job", "endsAt"),
    ]
)
TEXTS = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=())),
    st.sampled_from(["", ":", "{{a}}", "\x00", "\ud800", "firing", "ok", "http://[", "a,b", "[1]"]),
    st.sampled_from(["x" * 3000, "https://h/" + "x" * 3000, "\ud800" * 3000, "[[1" * 500]),
)
SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    st.just(10**400),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXTS, inner, max_size=6),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=12)
BODIES = st.one_of(
    st.binary(),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.one_of(OBJECTS, VALUES, st.fixed_dictionaries({"alerts": st.lists(OBJECTS)})).map(
        lambda value: json.dumps(value).encode()
    ),
    st.integers(1, 3000).map(lambda depth: b'{"title": ' + b"[" * depth + b"]" * depth + b"}"),
    st.integers(1, 3000).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth),
)


def assert_storable(text: str) -> None:
    text.encode("utf-8")
    assert not any(ord(character) < 32 and character not in "\n\t" for character in text)
    assert text


def assert_sound(reading: Signal | Unreadable) -> None:
    if isinstance(reading, Unreadable):
        assert_storable(reading.reason)
        assert len(reading.reason) <= 255
        return
    for name, bound in BOUNDS.items():
        value = getattr(reading, name)
        if value is not None:
            assert_storable(value)
            assert len(value) <= bound
            assert name == "description" or "\n" not in value
    assert len(reading.tags) <= 32
    for tag in reading.tags:
        assert_storable(tag)
        assert len(tag) <= 100
    assert len(reading.labels) <= 64
    for name, value in reading.labels.items():
        assert_storable(name)
        assert_storable(value)
        assert len(name) <= 100
        assert len(value) <= 1000


def assert_readings_are_sound(kind: IntegrationKind, body: bytes) -> Readings:
    readings = read(kind, body)
    for reading in readings.alerts:
        assert_sound(reading)
    if readings.group:
        assert_storable(readings.group.group_key)
        keys = {signal.dedup_key for signal in readings.alerts if isinstance(signal, Signal)}
        assert readings.group.present == keys
    assert read(kind, body) == readings
    return readings


def test_every_kind_of_integration_has_a_parser_and_every_text_a_bound() -> None:
    assert set(PARSERS) == set(IntegrationKind)
    unbounded = {"action", "severity", "tags", "labels"}
    assert {field.name for field in fields_of(Signal)} == set(BOUNDS) | unbounded


@pytest.mark.parametrize("kind", list(IntegrationKind))
@given(body=BODIES)
@QUICK
def test_no_body_makes_a_parser_raise_or_overstep(kind: IntegrationKind, body: bytes) -> None:
    assert_readings_are_sound(kind, body)


HOSTILE: list[Any] = ["\ud800\x00" * 6000, 10**400, float("nan"), [[["\x00"]]], {"\ud800": "\x00"}]


@pytest.mark.parametrize("kind", list(IntegrationKind))
@pytest.mark.parametrize("value", HOSTILE, ids=["text", "integer", "nan", "list", "object"])
def test_a_hostile_value_in_every_place_costs_no_alert(kind: IntegrationKind, value: Any) -> None:
    names = [*BOUNDS, "severity", "status", "tags", "value", "startsAt", "generatorURL"]
    alert = dict.fromkeys(names, value) | {"title": "t", "fingerprint": value}
    alert |= {"labels": {"alertname": "a", "b": value}, "annotations": {"summary": value}}
    body = json.dumps({"groupKey": value, "alerts": [alert, alert]}).encode()
    readings = assert_readings_are_sound(kind, body)
    assert [type(reading) for reading in readings.alerts] == [Signal, Signal]


@pytest.mark.timeout(5)
@pytest.mark.parametrize("kind", list(IntegrationKind))
@pytest.mark.parametrize("name", ["title", "tags", "rule.id", "groupKey", "status", "alerts.new"])
@pytest.mark.parametrize(
    "value",
    [
        "x" * 500_000,
        "{{" * 250_000,
        "a," * 250_000,
        [["x" * 1000] * 500],
        ["x"] * 100_000,
        ["x" * 500_000],
    ],
    ids=["long", "braces", "commas", "nested", "list", "long in a list"],
)
def test_what_many_alerts_share_is_not_paid_for_by_each(
    kind: IntegrationKind, name: str, value: Any
) -> None:
    alerts = [{"fingerprint": str(n), "alert.id": n, "title": ""} for n in range(1000)]
    read(kind, json.dumps({name: value, "alerts": alerts}).encode())


@pytest.mark.timeout(5)
def test_long_names_inside_one_another_do_not_multiply() -> None:
    inner = {f"{n}{'p' * 250}": {"q" * 250: "x"} for n in range(1000)}
    body = json.dumps({"rule" * 50_000: inner, "title": "t"}).encode()
    assert_readings_are_sound(IntegrationKind.ELASTIC, body)
