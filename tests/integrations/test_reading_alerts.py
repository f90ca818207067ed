"""The plain format, as its page describes it."""

import json
import re
from pathlib import Path

import pytest

from app.domain.incident import Severity
from app.domain.integration import IntegrationKind, Readings, Signal, SignalAction, Unreadable
from app.integrations import read

PAGE = Path(__file__).parents[2] / "docs" / "integrations" / "alerts.md"


def read_body(body: object) -> Readings:
    return read(IntegrationKind.ALERTS, json.dumps(body).encode())


def read_one(**alert: object) -> Signal:
    (signal,) = read_body(alert).alerts
    assert isinstance(signal, Signal)
    return signal


def test_every_field_has_its_place() -> None:
    signal = read_one(
        title="Disk full",
        description="/var is at 98 %\nand growing",
        severity="SEV1",
        service="db",
        status="firing",
        dedup_key="disk:db1",
        tags=["disk", "db"],
        labels={"host": "db1", "percent": 98, "mounts": ["/var"]},
        url="https://wiki.example/disk",
        source="cron",
    )
    assert signal == Signal(
        action=SignalAction.TRIGGER,
        dedup_key="disk:db1",
        title="Disk full",
        description="/var is at 98 %\nand growing",
        severity=Severity.CRITICAL,
        service="db",
        source="cron",
        url="https://wiki.example/disk",
        tags=("disk", "db"),
        labels={"host": "db1", "percent": "98", "mounts": '["/var"]'},
    )


def test_a_title_is_enough() -> None:
    signal = read_one(title="Disk full")
    assert signal.action is SignalAction.TRIGGER
    assert signal.dedup_key.startswith("derived:")
    assert (signal.severity, signal.service, signal.source) == (None, None, None)


@pytest.mark.parametrize("word", ["resolved", "OK", "Closed", "recovered", " up "])
def test_a_recovery_resolves_the_key_that_its_own_words_make(word: str) -> None:
    fired = read_one(title="Disk full", service="db", source="cron")
    recovered = read_one(title="Disk full", service="db", source="cron", status=word)
    assert recovered.action is SignalAction.RESOLVE
    assert recovered.dedup_key == fired.dedup_key


def test_a_recovery_may_name_only_its_key() -> None:
    signal = read_one(status="resolved", dedup_key="disk:db1")
    assert (signal.action, signal.dedup_key) == (SignalAction.RESOLVE, "disk:db1")


@pytest.mark.parametrize("word", ["trigger", "OPEN", "alerting", "down", "problem", "", None])
def test_a_word_for_trouble_pages(word: str | None) -> None:
    signal = read_one(title="Disk full", status=word)
    assert signal.action is SignalAction.TRIGGER
    assert signal.labels == {}


def test_a_status_that_nobody_knows_pages_and_is_kept() -> None:
    signal = read_one(title="Disk full", status="Wobbly")
    assert signal.action is SignalAction.TRIGGER
    assert signal.labels == {"status": "Wobbly"}


def test_a_severity_that_nobody_knows_is_left_to_the_integration_and_kept() -> None:
    signal = read_one(title="Disk full", severity="purple", labels={"host": "db1"})
    assert signal.severity is None
    assert signal.labels == {"severity": "purple", "host": "db1"}


@pytest.mark.parametrize("title", [None, "", " \n", "\x00"])
def test_an_alert_without_a_title_is_unreadable_even_with_a_key(title: str | None) -> None:
    (reading,) = read_body({"title": title, "dedup_key": "k"}).alerts
    assert reading == Unreadable("An alert needs a title; a recovery needs a title or a dedup_key.")


@pytest.mark.parametrize("wrap", [list, lambda alerts: {"alerts": alerts}])
def test_many_alerts_come_as_a_list_or_under_alerts(wrap: object) -> None:
    assert callable(wrap)
    readings = read_body(wrap([{"title": "a"}, {"title": ""}, "c", {"title": "d"}]))
    kinds = [type(alert) for alert in readings.alerts]
    assert kinds == [Signal, Unreadable, Unreadable, Signal]
    assert readings.group is None


def test_alerts_past_the_thousandth_are_one_unreadable_alert() -> None:
    readings = read_body([{"title": f"a{n}"} for n in range(1003)])
    assert len(readings.alerts) == 1001
    assert readings.alerts[-1] == Unreadable(
        "A body may hold 1000 alerts; the last 3 of this one were not read."
    )


@pytest.mark.parametrize("body", [[], {"alerts": []}])
def test_no_alerts_say_nothing(body: object) -> None:
    assert read_body(body) == Readings(())


def test_numbers_and_truth_values_are_read_as_text() -> None:
    signal = read_one(title=5, service=True, dedup_key=7, tags=[1, 2.5])
    assert (signal.title, signal.service, signal.dedup_key) == ("5", "true", "7")
    assert signal.tags == ("1", "2.5")


def test_titles_that_differ_past_the_bound_are_different_problems() -> None:
    one, other = read_one(title="x" * 300 + "a"), read_one(title="x" * 300 + "b")
    assert one.title == other.title
    assert one.dedup_key != other.dedup_key


def test_every_alert_that_the_page_shows_can_be_read() -> None:
    shown = re.findall(r"-d '(.*?)'", PAGE.read_text(), re.DOTALL)
    assert shown
    for body in shown:
        readings = read(IntegrationKind.ALERTS, body.encode())
        assert all(isinstance(alert, Signal) for alert in readings.alerts)
