"""Which incidents a policy's conditions pick."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.conditions import LONGEST_TEXT, Attributes, faults, holds
from app.domain.incident import Severity

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DISK_FULL = Attributes(
    severity=Severity.HIGH,
    service="database",
    title="Disk full on db-1",
    source="Prometheus",
    tags=("production", "storage"),
    labels={"team": "db", "app.kubernetes.io/name": "pg", "labels.team": "odd", "empty": ""},
)
BARE = Attributes(severity=Severity.LOW, service="web", title="Slow")


def picks(conditions: dict[str, Any], subject: Attributes = DISK_FULL) -> bool:
    """Whether conditions that can be saved hold for the incident."""
    assert faults(conditions) == []
    return holds(conditions, subject, now=NOW)


def test_no_conditions_match_everything() -> None:
    assert picks({})
    assert picks({}, BARE)


# --- Words and lists --------------------------------------------------------------------


@pytest.mark.parametrize(
    "conditions",
    [
        {"severity": "high"},
        {"service": "database"},
        {"source": "Prometheus"},
        {"tags": "storage"},
        {"title": "Disk full on db-1"},
        {"labels.team": "db"},
    ],
)
def test_one_word_asks_for_exactly_that_value(conditions: dict[str, Any]) -> None:
    assert picks(conditions)
    assert not picks(conditions, BARE)


@pytest.mark.parametrize("attribute", ["service", "source", "title", "tags", "labels.team"])
def test_part_of_a_value_is_not_that_value(attribute: str) -> None:
    assert not picks({attribute: ["data", "prom", "Disk", "prod", "d"]})


@pytest.mark.parametrize("attribute", ["service", "source", "title", "tags", "labels.team"])
def test_a_word_in_another_case_is_another_word(attribute: str) -> None:
    assert not picks({attribute: ["DATABASE", "prometheus", "disk full on db-1", "STORAGE", "DB"]})


def test_a_list_asks_for_any_of_its_words() -> None:
    assert picks({"service": ["web", "database"]})
    assert not picks({"service": ["web", "queue"]})


def test_a_list_of_tags_asks_for_one_tag_at_least() -> None:
    assert picks({"tags": ["storage", "test"]})
    assert not picks({"tags": ["test"]})


@pytest.mark.parametrize("word", ["SEV2", "P2", "error", " High "])
def test_a_severity_may_be_asked_for_by_any_of_its_names(word: str) -> None:
    assert picks({"severity": word})
    assert picks({"severity": ["low", word]})
    assert picks({"severity": {"in": [word]}})
    assert not picks({"severity": {"not_in": [word]}})


def test_every_key_must_hold() -> None:
    assert picks({"severity": "high", "service": "database"})
    assert not picks({"severity": "high", "service": "web"})


# --- Labels -----------------------------------------------------------------------------


def test_the_name_of_a_label_may_hold_dots() -> None:
    assert picks({"labels.app.kubernetes.io/name": "pg"})


def test_only_the_first_prefix_of_a_label_is_cut() -> None:
    assert picks({"labels.labels.team": "odd"})


def test_a_label_that_is_not_there_equals_nothing() -> None:
    assert not picks({"labels.region": ["", "none"]})


# --- Operators --------------------------------------------------------------------------


def test_in_is_the_long_form_of_a_list() -> None:
    assert picks({"service": {"in": ["web", "database"]}})
    assert not picks({"service": {"in": ["web"]}})


def test_not_in_refuses_each_of_its_words() -> None:
    assert picks({"service": {"not_in": ["web"]}})
    assert not picks({"service": {"not_in": ["web", "database"]}})


def test_not_in_holds_where_there_is_no_value() -> None:
    assert picks({"source": {"not_in": ["Prometheus"]}}, BARE)
    assert picks({"labels.team": {"not_in": ["db"]}}, BARE)


def test_not_in_refuses_whoever_bears_one_of_the_tags() -> None:
    assert not picks({"tags": {"not_in": ["test", "storage"]}})
    assert picks({"tags": {"not_in": ["test"]}})


@pytest.mark.parametrize("part", ["full", "DISK", "on db-1"])
def test_contains_finds_a_part_of_a_text_in_any_case(part: str) -> None:
    assert picks({"title": {"contains": part}})


def test_contains_folds_case_in_every_script() -> None:
    subject = Attributes(Severity.LOW, "web", "STRASSE überflutet")
    assert picks({"title": {"contains": "straße ÜBER"}}, subject)


def test_contains_asks_for_a_whole_tag() -> None:
    assert picks({"tags": {"contains": "storage"}})
    assert not picks({"tags": {"contains": "stor"}})
    assert not picks({"tags": {"contains": "STORAGE"}})


def test_contains_finds_nothing_where_there_is_no_value() -> None:
    assert not picks({"source": {"contains": "a"}}, BARE)


@pytest.mark.parametrize("pattern", [r"db-\d+$", "^Disk", "(?i)DISK", "f.ll"])
def test_matches_finds_a_pattern_anywhere_in_a_text(pattern: str) -> None:
    assert picks({"title": {"matches": pattern}})


def test_matches_tells_case_apart_unless_told_otherwise() -> None:
    assert not picks({"title": {"matches": "DISK"}})


def test_matches_looks_at_every_tag() -> None:
    assert picks({"tags": {"matches": "^sto"}})
    assert not picks({"tags": {"matches": "^test"}})


def test_matches_finds_nothing_where_there_is_no_value() -> None:
    assert not picks({"labels.region": {"matches": ".*"}})


def test_a_pattern_that_is_catastrophic_elsewhere_is_answered() -> None:
    # A backtracking engine would need about 2 to the power of 10,000 steps for this one.
    subject = Attributes(Severity.LOW, "web", "a" * 9_999 + "b")
    assert not picks({"title": {"matches": "(a+)+$"}}, subject)
    assert picks({"title": {"matches": "(a+)+b$"}}, subject)


def test_a_pattern_looks_at_the_beginning_of_an_endless_text_only() -> None:
    subject = Attributes(Severity.LOW, "web", "a" * LONGEST_TEXT + "b")
    assert not picks({"title": {"matches": "b"}}, subject)


def test_a_pattern_reads_letters_of_every_script() -> None:
    subject = Attributes(Severity.LOW, "web", "Plattenspeicher läuft über 🔥")
    assert picks({"title": {"matches": r"l.uft \pL+ 🔥$"}}, subject)


def test_exists_asks_whether_there_is_a_value() -> None:
    for attribute in ("source", "tags", "labels.team", "service"):
        assert picks({attribute: {"exists": True}})
        assert not picks({attribute: {"exists": False}})


def test_exists_tells_what_is_missing() -> None:
    for attribute in ("source", "tags", "labels.team"):
        assert picks({attribute: {"exists": False}}, BARE)
        assert not picks({attribute: {"exists": True}}, BARE)


def test_an_empty_label_exists() -> None:
    assert picks({"labels.empty": {"exists": True}})


def test_all_operators_of_an_attribute_must_hold() -> None:
    assert picks({"title": {"contains": "disk", "matches": "db-1", "not_in": ["Disk full"]}})
    assert not picks({"title": {"contains": "disk", "matches": "db-2"}})


# --- all, any, not ----------------------------------------------------------------------


def test_all_needs_every_part() -> None:
    assert picks({"all": [{"severity": "high"}, {"tags": "storage"}]})
    assert not picks({"all": [{"severity": "high"}, {"tags": "test"}]})


def test_any_needs_one_part() -> None:
    assert picks({"any": [{"severity": "critical"}, {"tags": "storage"}]})
    assert not picks({"any": [{"severity": "critical"}, {"tags": "test"}]})


def test_not_turns_its_part_round() -> None:
    assert picks({"not": {"tags": "test"}})
    assert not picks({"not": {"tags": "storage"}})


def test_not_of_nothing_never_holds() -> None:
    assert not picks({"not": {}})


def test_parts_nest() -> None:
    wanted = {
        "any": [
            {"severity": "critical"},
            {"all": [{"service": "database"}, {"not": {"any": [{"tags": "test"}]}}]},
        ],
        "source": {"exists": True},
    }
    assert picks(wanted)
    assert not picks(wanted, BARE)
