"""How an incident may change, and every word that means a severity."""

import pytest

from app.domain.incident import (
    SEVERITY_ALIASES,
    TRANSITIONS,
    IncidentStatus,
    Opening,
    Severity,
    read_severity,
)

OPEN, ACKNOWLEDGED, RESOLVED = IncidentStatus


def test_an_open_incident_is_acknowledged_or_resolved() -> None:
    assert TRANSITIONS[OPEN] == (ACKNOWLEDGED, RESOLVED)


def test_an_acknowledged_incident_is_only_resolved() -> None:
    assert TRANSITIONS[ACKNOWLEDGED] == (RESOLVED,)


def test_a_resolved_incident_changes_no_more() -> None:
    assert TRANSITIONS[RESOLVED] == ()


def test_every_status_has_its_line_in_the_law() -> None:
    assert set(TRANSITIONS) == set(IncidentStatus)


def test_no_status_leads_to_itself() -> None:
    assert not [status for status, following in TRANSITIONS.items() if status in following]


@pytest.mark.parametrize(
    ("severity", "words"),
    [
        (Severity.CRITICAL, ["SEV1", "P1", "sev0", "p0", "page", "fatal", "emergency", "crit"]),
        (Severity.HIGH, ["SEV2", "P2", "error", "err", "major"]),
        (Severity.MEDIUM, ["SEV3", "P3", "warning", "warn"]),
        (Severity.LOW, ["SEV4", "SEV5", "P4", "P5", "minor", "info", "informational", "none"]),
    ],
)
def test_the_words_of_tools_and_teams_mean_a_severity(severity: Severity, words: list[str]) -> None:
    assert {word: read_severity(word) for word in words} == dict.fromkeys(words, severity)


@pytest.mark.parametrize("severity", Severity)
def test_a_severity_is_its_own_word(severity: Severity) -> None:
    assert read_severity(severity) is severity


@pytest.mark.parametrize(
    "spelling", ["SEV2", "sev2", " Sev2\n", "SEV-2", "sev_2", "Sev 2", "HIGH", "High ", "Error"]
)
def test_case_spaces_and_dashes_do_not_matter(spelling: str) -> None:
    assert read_severity(spelling) is Severity.HIGH


@pytest.mark.parametrize("word", ["", " ", "sev", "sev6", "p6", "high!", "purple", "1", "\ud800"])
def test_a_word_nobody_knows_is_no_severity(word: str) -> None:
    assert read_severity(word) is None


def test_every_alias_is_spelled_as_it_is_looked_up() -> None:
    assert {alias: read_severity(alias) for alias in SEVERITY_ALIASES} == SEVERITY_ALIASES


def test_ranks_count_from_the_worst() -> None:
    ordered = sorted(Severity, key=lambda severity: severity.rank)
    assert ordered == [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW]


def test_a_severity_is_at_least_itself_and_whatever_is_milder() -> None:
    reached = [floor for floor in Severity if Severity.HIGH.at_least(floor)]
    assert reached == [Severity.HIGH, Severity.MEDIUM, Severity.LOW]


def test_two_openings_never_share_their_uid() -> None:
    first, second = (Opening("Disk full", Severity.HIGH, "db", "An alert.") for _ in range(2))
    assert first.uid != second.uid
