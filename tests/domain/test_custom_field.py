"""What a custom field may hold, and what policies may ask of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain import conditions
from app.domain.conditions import Attributes
from app.domain.custom_field import (
    LARGEST_NUMBER,
    FieldType,
    changes,
    is_key,
    read_query,
    read_value,
)
from app.domain.incident import Severity

OPTIONS = ["eu", "us", "asia"]


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (FieldType.TEXT, "  DNS  ", "DNS"),
        (FieldType.TEXT, "x" * 1000, "x" * 1000),
        (FieldType.NUMBER, 42, 42),
        (FieldType.NUMBER, -0.5, -0.5),
        (FieldType.NUMBER, 42.0, 42),
        (FieldType.NUMBER, 1e15, 10**15),
        (FieldType.NUMBER, -0.0, 0),
        (FieldType.BOOLEAN, True, True),
        (FieldType.BOOLEAN, False, False),
        (FieldType.DATE, "2028-02-29", "2028-02-29"),
        (FieldType.URL, " https://example.org/a?b#c ", "https://example.org/a?b#c"),
        (FieldType.URL, "http://db1:8080", "http://db1:8080"),
        (FieldType.SELECT, " eu ", "eu"),
        (FieldType.MULTI_SELECT, ["asia", "eu"], ["eu", "asia"]),
    ],
)
def test_a_value_is_kept_in_its_one_form(kind: FieldType, given: Any, kept: Any) -> None:
    read = read_value(kind, OPTIONS, given)
    assert read == kept
    assert type(read) is type(kept)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        *[(kind, None) for kind in FieldType],
        *[(kind, {"a": 1}) for kind in FieldType],
        (FieldType.TEXT, 42),
        (FieldType.TEXT, " "),
        (FieldType.TEXT, "x" * 1001),
        (FieldType.TEXT, "\x00"),
        (FieldType.TEXT, "\ud800"),
        (FieldType.NUMBER, True),
        (FieldType.NUMBER, "42"),
        (FieldType.NUMBER, float("nan")),
        (FieldType.NUMBER, float("inf")),
        (FieldType.NUMBER, 10**4000),
        (FieldType.NUMBER, -LARGEST_NUMBER - 1),
        (FieldType.BOOLEAN, 1),
        (FieldType.BOOLEAN, "true"),
        (FieldType.DATE, "2027-02-29"),
        (FieldType.DATE, "20270228"),
        (FieldType.DATE, "2027-W01-1"),
        (FieldType.DATE, "2027-02-28T00:00"),
        (FieldType.DATE, "２０２７-02-28"),
        (FieldType.URL, "ftp://example.org"),
        (FieldType.URL, "javascript:alert(1)"),
        (FieldType.URL, "https://"),
        (FieldType.URL, "https://[half"),
        (FieldType.URL, "https://example.org/a b"),
        (FieldType.URL, "https://example.org/" + "x" * 2000),
        (FieldType.SELECT, "EU"),
        (FieldType.SELECT, ["eu"]),
        (FieldType.MULTI_SELECT, "eu"),
        (FieldType.MULTI_SELECT, []),
        (FieldType.MULTI_SELECT, ["eu", "eu"]),
        (FieldType.MULTI_SELECT, ["eu", "mars"]),
        (FieldType.MULTI_SELECT, [1]),
    ],
)
def test_whatever_else_is_refused_with_what_to_do(kind: FieldType, given: Any) -> None:
    with pytest.raises(ValueError, match=r"^(must|is|holds|names) "):
        read_value(kind, OPTIONS, given)


def test_no_more_than_fifty_options_are_chosen() -> None:
    options = [str(n) for n in range(60)]
    assert len(read_value(FieldType.MULTI_SELECT, options, options[:50])) == 50  # type: ignore[arg-type]  # a list
    with pytest.raises(ValueError, match="more than 50"):
        read_value(FieldType.MULTI_SELECT, options, options[:51])


@pytest.mark.parametrize(
    ("kind", "text", "means"),
    [
        (FieldType.TEXT, "DNS: broken", "DNS: broken"),
        (FieldType.NUMBER, "42", 42),
        (FieldType.NUMBER, "42.0", 42),
        (FieldType.NUMBER, "-1.5e3", -1500),
        (FieldType.NUMBER, "999999999999999", 999_999_999_999_999),
        (FieldType.BOOLEAN, "false", False),
        (FieldType.DATE, "2027-01-31", "2027-01-31"),
        (FieldType.URL, "https://example.org", "https://example.org"),
        (FieldType.SELECT, "an option of old", "an option of old"),
        (FieldType.MULTI_SELECT, "eu", ["eu"]),
    ],
)
def test_a_filter_is_read_by_the_fields_type(kind: FieldType, text: str, means: Any) -> None:
    read = read_query(kind, text)
    assert read == means
    assert type(read) is type(means)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[(FieldType.NUMBER, text) for text in ("x", "1_000", "٤٢", "nan", "1e999", "0x1", "")],
        *[(FieldType.BOOLEAN, text) for text in ("True", "1", "yes")],
        (FieldType.DATE, "31.01.2027"),
        (FieldType.TEXT, "\x00"),
    ],
)
def test_a_filter_of_another_type_is_refused(kind: FieldType, text: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|holds) "):
        read_query(kind, text)


@pytest.mark.parametrize("number", [0.1, 1 / 3, 1e-7, 123456.789, -999999999999999.9])
def test_a_number_comes_back_from_json_as_it_went_in(number: float) -> None:
    assert json.loads(json.dumps(read_value(FieldType.NUMBER, (), number))) == number


def test_a_key_is_plain() -> None:
    assert all(is_key(key) for key in ("a", "customers_affected", "a1", "a" * 50))
    assert not any(is_key(key) for key in ("", "1a", "_a", "A", "a-b", "a b", "a\n", "ä", "a" * 51))


def test_one_is_not_true() -> None:
    assert changes({"a": 1, "b": 2, "c": "x"}, {"a": True, "b": 2, "d": []}) == {
        "a": (1, True),
        "c": ("x", None),
        "d": (None, []),
    }


HELD = {"customers": 42, "regulated": True, "regions": ["eu", "us"], "cause": "Expired DNS"}


@pytest.mark.parametrize(
    ("key", "wanted", "holds"),
    [
        ("customers", "42", True),
        ("customers", "4", False),
        ("regulated", "true", True),
        ("regulated", ["false"], False),
        ("regions", "us", True),
        ("regions", {"in": ["asia", "eu"]}, True),
        ("regions", {"not_in": ["eu"]}, False),
        ("cause", {"contains": "dns"}, True),
        ("cause", {"matches": "^Expired"}, True),
        ("cause", {"exists": True}, True),
        ("unknown", {"exists": True}, False),
        ("unknown", "x", False),
    ],
)
def test_policies_can_ask_for_custom_fields(key: str, wanted: Any, *, holds: bool) -> None:
    subject = Attributes(Severity.LOW, "db", "Disk full", custom_fields=HELD)  # type: ignore[arg-type]  # a dict of some
    document = {f"custom_fields.{key}": wanted}
    assert conditions.faults(document) == []
    assert conditions.holds(document, subject, now=datetime(2027, 1, 1, tzinfo=UTC)) is holds


@pytest.mark.parametrize("key", ["custom_fields", "custom_fields.", "custom_fields.No such"])
def test_a_condition_needs_a_fields_key(key: str) -> None:
    (fault,) = conditions.faults({key: "x"})
    assert "custom_fields.<key>" in fault.message
