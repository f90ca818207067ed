"""Why conditions do not hold, in words; and which can hold for nobody."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from app.domain.conditions import Attributes, explain, faults, holds
from app.domain.contradictions import impossible
from app.domain.incident import Severity
from tests.domain.test_any_conditions import INSTANTS, QUICK, SOUND, SUBJECTS

NOW = datetime(2027, 1, 31, 12, 30, tzinfo=UTC)  # a Sunday
SUBJECT = Attributes(
    severity=Severity.HIGH,
    service="database",
    title="Disk full",
    tags=("eu", "storage"),
    labels={"team": "db"},
    custom_fields={"region": "eu-west-1"},
)


@pytest.mark.parametrize(
    ("conditions", "path", "message"),
    [
        ({"severity": "critical"}, "severity", "“high” is not “critical”"),
        ({"service": ["web", "api"]}, "service", "“database” is not “web” or “api”"),
        ({"tags": ["us"]}, "tags", "“eu” and “storage” are not “us”"),
        ({"source": "elastic"}, "source", "no value is not “elastic”"),
        ({"tags": {"not_in": ["eu"]}}, "tags.not_in",
         "“eu” and “storage” are in the list of what must not be"),
        ({"title": {"contains": "cpu"}}, "title.contains", "“Disk full” does not contain “cpu”"),
        ({"title": {"matches": "^cpu"}}, "title.matches", "“Disk full” does not match “^cpu”"),
        ({"labels.team": {"exists": False}}, "labels.team.exists", "there is a value: “db”"),
        ({"labels.host": {"exists": True}}, "labels.host.exists", "there is no value"),
        ({"custom_fields.region": "us"}, "custom_fields.region", "“eu-west-1” is not “us”"),
        ({"not": {"service": "database"}}, "not", "holds, and must not"),
        ({"all": [{}, {"service": "web"}]}, "all[1].service", "“database” is not “web”"),
        ({"any": [{"service": "web"}]}, "any[0].service", "“database” is not “web”"),
        ({"time": {"between": ["22:00", "06:00"], "zone": "Asia/Tokyo", "days": ["mon"]}}, "time",
         "21:30 on sun is not within 22:00-06:00, mon"),
    ],
)  # fmt: skip
def test_the_reason_names_what_there_is_and_what_was_wanted(
    conditions: dict[str, Any], path: str, message: str
) -> None:
    assert faults(conditions) == []
    (reason,) = explain(conditions, SUBJECT, now=NOW)
    assert (reason.path, reason.message) == (f"conditions.{path}", message)


def test_of_several_alternatives_it_says_that_none_holds() -> None:
    told = explain({"any": [{"service": "web"}, {"service": "api"}]}, SUBJECT, now=NOW)
    assert [reason.message for reason in told] == [
        "none of its 2 parts holds", "“database” is not “web”",
    ]  # fmt: skip


def test_long_lists_and_long_texts_are_cut_short() -> None:
    subject = replace(SUBJECT, title="T" * 300)
    (reason,) = explain({"title": [f"word {n}" for n in range(50)]}, subject, now=NOW)
    assert reason.message.endswith("“word 3” or 46 more")
    assert "T" * 60 + "…" in reason.message
    assert len(reason.message) < 150


@given(SOUND, SUBJECTS, INSTANTS)
@QUICK
def test_there_is_a_reason_exactly_if_it_does_not_hold(
    conditions: dict[str, Any], subject: Attributes, now: datetime
) -> None:
    is_held = holds(conditions, subject, now=now)
    assert (explain(conditions, subject, now=now) == []) is is_held
    if is_held:
        assert impossible(conditions) is None


@pytest.mark.parametrize(
    "conditions",
    [
        {"service": {"in": ["db"], "not_in": ["db", "web"]}},
        {"severity": {"in": ["SEV1", "P1"], "not_in": ["critical"]}},
        {"labels.team": {"exists": False, "in": ["db"]}},
        {"tags": {"exists": False, "contains": "eu"}},
        {"title": {"exists": False}},
        {"not": {}},
        {"all": [{"source": "x"}, {"not": {}}]},
        {"any": [{"not": {}}, {"service": {"exists": False}}]},
    ],
)
def test_what_contradicts_itself_is_found(conditions: dict[str, Any]) -> None:
    assert faults(conditions) == []
    assert (impossible(conditions) or "").startswith("conditions.")


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"service": {"in": ["db", "web"], "not_in": ["db"]}},
        {"tags": {"in": ["eu"], "not_in": ["eu", "us"], "exists": True}},
        {"labels.team": {"exists": False}},
        {"source": {"exists": False}},
        {"any": [{"not": {}}, {"service": "db"}]},
        {"not": {"service": "db"}},
        {"time": {"between": ["22:00", "06:00"]}},
        {"service": "db", "severity": ["high"]},
    ],
)
def test_what_may_hold_is_not_called_impossible(conditions: dict[str, Any]) -> None:
    assert impossible(conditions) is None
