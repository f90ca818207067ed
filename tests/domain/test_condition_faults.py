"""What is refused when a policy is saved, and where exactly it is said to be wrong."""

from typing import Any

import pytest

from app.domain.conditions import DEEPEST, LARGEST, LONGEST_PATTERN, faults

WINDOW = {"between": ["22:00", "06:00"]}


def told(conditions: Any) -> list[str]:
    """Each fault as it reads in the answer."""
    return [f"{fault.path} {fault.message}" for fault in faults(conditions)]


def paths(conditions: Any) -> list[str]:
    return [fault.path for fault in faults(conditions)]


def nested(levels: int, key: str = "not") -> dict[str, Any]:
    """Conditions inside conditions inside conditions."""
    inner: dict[str, Any] = {}
    for _ in range(levels):
        inner = {key: inner if key == "not" else [inner]}
    return inner


@pytest.mark.parametrize("conditions", [None, [], "severity", 1, True, [{}], float("nan")])
def test_conditions_are_an_object(conditions: Any) -> None:
    assert told(conditions) == ["conditions must be an object"]


@pytest.mark.parametrize(
    "key",
    [
        *("severities", "label", "labels", "labels.", "Severity", "severity ", "ALL", "none", ""),
        *("__class__", "__dict__", "labels_team", "matches", "\x00", "\ud800", "source.name"),
    ],
)
def test_a_key_that_is_no_attribute_is_named(key: str) -> None:
    (fault,) = faults({key: "high"})
    assert fault.path == f"conditions.{key}"
    assert fault.message.startswith("is no attribute; known are: severity, service, source")


@pytest.mark.parametrize("key", ["all", "any"])
@pytest.mark.parametrize("parts", [[], {}, None, "high", {"severity": "high"}])
def test_all_and_any_take_a_list_with_something_in_it(key: str, parts: Any) -> None:
    assert told({key: parts}) == [
        f"conditions.{key} must be a list of conditions, with one at least"
    ]


def test_a_fault_deep_inside_has_its_whole_path() -> None:
    inner = {"any": [{"severity": "high"}, {"labels.a.b": {"in": ["x", 5]}}]}
    assert told({"all": [{}, {"not": inner}]}) == [
        "conditions.all[1].not.any[1].labels.a.b.in[1] must be a text"
    ]


def test_every_fault_is_told() -> None:
    assert paths({"severity": "purple", "service": [], "all": [3, {"x": 1}], "not": []}) == [
        "conditions.severity",
        "conditions.service",
        "conditions.all[0]",
        "conditions.all[1].x",
        "conditions.not",
    ]


def test_the_path_may_begin_elsewhere() -> None:
    assert [fault.path for fault in faults({"x": 1}, "policies[2].conditions")] == [
        "policies[2].conditions.x"
    ]


@pytest.mark.parametrize("key", ["not", "all", "any"])
def test_conditions_nest_eight_levels_deep_and_no_deeper(key: str) -> None:
    assert faults(nested(DEEPEST, key)) == []
    (fault,) = faults(nested(DEEPEST + 1, key))
    assert fault.message == "is nested deeper than 8 levels"


@pytest.mark.parametrize("key", ["not", "all"])
def test_a_document_without_a_bottom_is_a_fault_like_any_other(key: str) -> None:
    assert len(faults(nested(100_000, key))) == 1


def test_a_value_without_a_bottom_is_a_fault_like_any_other() -> None:
    value: Any = "high"
    for _ in range(100_000):
        value = [value]
    assert len(faults({"severity": value})) == 1


# --- Words ------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [None, 1, 1.5, float("nan"), float("inf"), True, b"db"])
def test_a_value_is_a_text(word: Any) -> None:
    assert told({"service": word}) == ["conditions.service must be a text"]
    assert told({"service": ["db", word]}) == ["conditions.service[1] must be a text"]


@pytest.mark.parametrize("word", [[], {}, ["db"], {"in": ["db"]}])
def test_what_stands_in_a_list_is_a_text(word: Any) -> None:
    assert told({"tags": [word]}) == ["conditions.tags[0] must be a text"]


@pytest.mark.parametrize("wanted", [[], {"in": []}, {"not_in": []}])
def test_an_empty_list_would_never_match(wanted: Any) -> None:
    (message,) = [fault.message for fault in faults({"service": wanted})]
    assert message == "is an empty list, which never matches"


def test_a_severity_is_one_that_somebody_knows() -> None:
    wanted = "is no severity; known are: critical, high, medium, low"
    assert told({"severity": "purple"}) == [f"conditions.severity {wanted}"]
    assert told({"severity": ["high", "purple"]}) == [f"conditions.severity[1] {wanted}"]
    assert told({"severity": {"in": ["purple"]}}) == [f"conditions.severity.in[0] {wanted}"]


# --- Operators --------------------------------------------------------------------------


def test_an_object_needs_an_operator() -> None:
    assert told({"title": {}}) == [
        "conditions.title needs an operator: in, not_in, contains, matches, exists"
    ]


@pytest.mark.parametrize("operator", ["equals", "between", "IN", "", "__class__", "not"])
def test_an_operator_that_nobody_knows_is_named(operator: str) -> None:
    assert told({"title": {operator: "x"}}) == [
        f"conditions.title.{operator} is no operator;"
        " known are: in, not_in, contains, matches, exists"
    ]


@pytest.mark.parametrize("operator", ["in", "not_in"])
@pytest.mark.parametrize("operand", ["db", None, {"db": 1}, 3])
def test_in_and_not_in_take_a_list(operator: str, operand: Any) -> None:
    assert told({"service": {operator: operand}}) == [
        f"conditions.service.{operator} must be a list"
    ]


@pytest.mark.parametrize("operator", ["contains", "matches"])
@pytest.mark.parametrize("operand", ["", None, 1, True, ["db"], {}, b"db"])
def test_contains_and_matches_take_a_text_that_is_not_empty(operator: str, operand: Any) -> None:
    assert told({"title": {operator: operand}}) == [
        f"conditions.title.{operator} must be a text that is not empty"
    ]


@pytest.mark.parametrize("operand", [1, 0, "true", None, [], float("nan")])
def test_exists_takes_true_or_false_and_no_number(operand: Any) -> None:
    assert told({"source": {"exists": operand}}) == [
        "conditions.source.exists must be true or false"
    ]


# --- Patterns ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [*("[", "(", "*", "a{2,1}", "a{1001}", "(a{1000}){1000}", r"\pL{999}"), *("(?=a)", r"(a)\1")],
)
def test_a_pattern_that_re2_does_not_take_is_a_fault(pattern: str) -> None:
    (fault,) = faults({"title": {"matches": pattern}})
    assert fault.path == "conditions.title.matches"
    assert fault.message.startswith("is no valid RE2 pattern: ")


def test_a_pattern_has_500_characters_at_most() -> None:
    assert faults({"title": {"matches": "a" * LONGEST_PATTERN}}) == []
    assert told({"title": {"matches": "a" * (LONGEST_PATTERN + 1)}}) == [
        "conditions.title.matches is longer than 500 characters"
    ]


def test_every_pattern_is_told_apart() -> None:
    assert paths({"any": [{"title": {"matches": "["}}, {"tags": {"matches": "("}}]}) == [
        "conditions.any[0].title.matches",
        "conditions.any[1].tags.matches",
    ]


# --- What the database could not keep ---------------------------------------------------


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800", "\udfff"])
@pytest.mark.parametrize(
    ("conditions", "path"),
    [
        (lambda text: {"title": text}, "conditions.title"),
        (lambda text: {"tags": [text]}, "conditions.tags[0]"),
        (lambda text: {"service": {"not_in": [text]}}, "conditions.service.not_in[0]"),
        (lambda text: {"title": {"contains": text}}, "conditions.title.contains"),
        (lambda text: {"title": {"matches": text}}, "conditions.title.matches"),
        (lambda text: {f"labels.{text}": "x"}, None),
    ],
)
def test_a_text_that_postgresql_cannot_keep_is_a_fault(
    text: str, conditions: Any, path: str | None
) -> None:
    assert told(conditions(text)) == [
        f"{path or f'conditions.labels.{text}'} holds the character NUL or half of a surrogate"
        " pair, which no database keeps"
    ]


@pytest.mark.parametrize(
    "conditions",
    [
        {"service": "x" * LARGEST},
        {"service": ["x" * 100] * 300},
        {"labels." + "x" * LARGEST: "y"},
        {"any": [{}] * 10_000},
        {"service": [1] * 1_000_000},
        {f"x{i}": {} for i in range(10_000)},
        ["x" * 30_000],
    ],
)
def test_a_document_that_is_too_large_is_one_fault(conditions: Any) -> None:
    assert told(conditions) == ["conditions is larger than 20 kB"]


def test_a_long_list_of_services_is_not_too_large() -> None:
    assert faults({"service": [f"service-{number}" for number in range(1000)]}) == []


# --- Windows ----------------------------------------------------------------------------


@pytest.mark.parametrize("window", [None, [], {}, "09:00", ["09:00", "17:00"], {"zone": "UTC"}])
def test_a_window_is_an_object_with_two_times(window: Any) -> None:
    (message,) = told({"time": window})
    assert message.startswith('conditions.time must be like {"between": ["09:00", "17:00"]')


@pytest.mark.parametrize(
    "edges",
    [
        *(None, [], "09:00", ["09:00"], ["09:00", "10:00", "11:00"], ["09:00", None]),
        *(["9", "17"], ["09:00", "25:00"], ["09:00", "24:00"], ["09:00", ["10:00"]], ["", ""]),
        *(["09:00Z", "17:00"], ["09:00", "17:00+01:00"], ["09:00\x00", "17:00"], [9, 17]),
        *(["0\uff19:00", "17:00"], ["09:00", "\ud800"], ["2026-11-21", "17:00"], [True, False]),
    ],
)
def test_the_edges_of_a_window_are_two_times_of_day(edges: Any) -> None:
    assert told({"time": {"between": edges}}) == [
        'conditions.time.between must be two times of day like ["22:00", "06:00"]'
    ]


@pytest.mark.parametrize("edges", [["09:00", "09:00"], ["09:00", "09:00:00"], ["00:00", "00"]])
def test_a_window_without_any_time_in_it_is_a_fault(edges: list[str]) -> None:
    assert told({"time": {"between": edges}}) == [
        "conditions.time.between starts and ends at the same time"
    ]


@pytest.mark.parametrize(
    "zone",
    [
        *("../etc/passwd", "/etc/passwd", "", ".", "..", "Europe", "europe/Nowhere", "CET+1 "),
        *("a\x00b", "\ud800", "x" * 300, "Europe/Berlin/", "tzdata.zi", None, 1, [], {}, True),
    ],
)
def test_a_zone_is_one_of_the_iana_database(zone: Any) -> None:
    assert told({"time": {**WINDOW, "zone": zone}}) == [
        "conditions.time.zone is no IANA time zone, such as Europe/Berlin"
    ]


@pytest.mark.parametrize(
    "days", [[], None, "mon", ["Mon"], ["monday"], [1], [["mon"]], [{}], ["mon", None], {"mon": 1}]
)
def test_days_are_a_list_of_weekdays(days: Any) -> None:
    assert told({"time": {**WINDOW, "days": days}}) == [
        "conditions.time.days must be a list of: mon, tue, wed, thu, fri, sat, sun"
    ]


def test_what_a_window_does_not_know_is_named_in_the_order_given() -> None:
    assert paths({"time": {**WINDOW, "tz": "UTC", "day": "mon"}}) == [
        "conditions.time.tz",
        "conditions.time.day",
    ]


def test_a_whole_window_is_taken() -> None:
    window = {"between": ["22:00", "06:00:30"], "zone": "Europe/Berlin", "days": ["sat", "sun"]}
    assert faults({"time": window}) == []
