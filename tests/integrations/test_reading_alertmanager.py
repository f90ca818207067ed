"""Alertmanager's webhook, from bytes that it really sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.incident import Severity
from app.domain.integration import (
    GroupState,
    IntegrationKind,
    Readings,
    Signal,
    SignalAction,
    Unreadable,
)
from app.integrations import read

FIXTURES = Path(__file__).parent / "fixtures"
FIRING = (FIXTURES / "alertmanager_firing.json").read_bytes()
RESOLVED = (FIXTURES / "alertmanager_resolved.json").read_bytes()
GRAFANA = (FIXTURES / "grafana.json").read_bytes()
GROUP = '{}:{alertname="HighCPU"} http://alertmanager.example:9093'


def read_payload(payload: object) -> Readings:
    return read(IntegrationKind.ALERTMANAGER, json.dumps(payload).encode())


def payload_with(*alerts: object, **changes: object) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(FIRING)
    return payload | {"alerts": list(alerts)} | changes


def alert_with(**changes: object) -> dict[str, Any]:
    alert: dict[str, Any] = json.loads(FIRING)["alerts"][0]
    return {name: value for name, value in (alert | changes).items() if value is not None}


def only(readings: Readings) -> Signal:
    (signal,) = readings.alerts
    assert isinstance(signal, Signal)
    return signal


def read_one(**changes: object) -> Signal:
    return only(read_payload(payload_with(alert_with(**changes))))


def test_a_captured_firing_payload_is_one_trigger_and_the_state_of_its_group() -> None:
    assert read(IntegrationKind.ALERTMANAGER, FIRING) == Readings(
        alerts=(
            Signal(
                action=SignalAction.TRIGGER,
                dedup_key="05a50f9306f6d8c2",
                title="cpu high",
                severity=Severity.CRITICAL,
                source="alertmanager",
                url="http://prom/graph",
                labels={"alertname": "HighCPU", "instance": "h1", "severity": "critical"},
                group_key=GROUP,
            ),
        ),
        group=GroupState(GROUP, frozenset({"05a50f9306f6d8c2"})),
    )


def test_the_captured_recovery_resolves_the_key_that_fired() -> None:
    fired = only(read(IntegrationKind.ALERTMANAGER, FIRING))
    recovered = only(read(IntegrationKind.ALERTMANAGER, RESOLVED))
    assert recovered.action is SignalAction.RESOLVE
    assert (recovered.dedup_key, recovered.group_key) == (fired.dedup_key, fired.group_key)
    assert recovered.url is None


def test_a_payload_of_grafana_is_read_like_one_of_alertmanager() -> None:
    signal = only(read(IntegrationKind.ALERTMANAGER, GRAFANA))
    assert signal.title == "Slow checkout"
    assert (signal.service, signal.severity) == ("checkout", Severity.HIGH)
    assert signal.url == "http://grafana.example/d/1?viewPanel=2"
    assert signal.description == (
        "p95 is 4 s\nrunbook_url: http://wiki.example/slow\nvalues: [ var='B' labels={} value=4.1 ]"
    )


def test_alerts_of_one_payload_keep_their_own_status_and_order() -> None:
    readings = read_payload(
        payload_with(
            alert_with(fingerprint="a"),
            alert_with(fingerprint="b", status="resolved"),
            alert_with(fingerprint="c", status=None),
        )
    )
    signals = [alert for alert in readings.alerts if isinstance(alert, Signal)]
    assert [(signal.dedup_key, signal.action) for signal in signals] == [
        ("a", SignalAction.TRIGGER),
        ("b", SignalAction.RESOLVE),
        ("c", SignalAction.TRIGGER),
    ]
    assert readings.group == GroupState(GROUP, frozenset("abc"))


def test_an_alert_without_a_status_has_that_of_its_group() -> None:
    payload = payload_with(alert_with(status=None), status="resolved")
    assert only(read_payload(payload)).action is SignalAction.RESOLVE


def test_an_alert_without_any_status_pages() -> None:
    payload = payload_with(alert_with(status=None, endsAt="2026-11-21T07:07:58Z"), status=None)
    assert only(read_payload(payload)).action is SignalAction.TRIGGER


@pytest.mark.parametrize(
    "changes",
    [
        {"truncatedAlerts": 3},
        {"truncatedAlerts": "3"},
        {"groupKey": ""},
        {"groupKey": None},
        {"alerts": []},
        {"alerts": [alert_with(), "broken"]},
        {"alerts": [alert_with(fingerprint=str(n)) for n in range(1001)]},
    ],
)
def test_nothing_is_said_of_a_group_that_may_not_be_whole(changes: dict[str, object]) -> None:
    assert read_payload(payload_with(alert_with()) | changes).group is None


def test_two_alertmanagers_that_share_an_integration_do_not_speak_for_each_other() -> None:
    here = only(read_payload(payload_with(alert_with())))
    there = only(read_payload(payload_with(alert_with(), externalURL="http://other:9093")))
    assert here.dedup_key == there.dedup_key
    assert here.group_key != there.group_key


def test_a_payload_without_an_external_url_is_still_grouped() -> None:
    signal = only(read_payload(payload_with(alert_with(), externalURL=None)))
    assert signal.group_key == '{}:{alertname="HighCPU"}'


def test_a_missing_version_and_unknown_keys_do_not_matter() -> None:
    payload = payload_with(alert_with(), notification_reason="repeat", routeLabels={})
    del payload["version"], payload["truncatedAlerts"]
    assert read_payload(payload) == read(IntegrationKind.ALERTMANAGER, FIRING)


def test_one_broken_alert_leaves_its_neighbours_alone() -> None:
    readings = read_payload(payload_with(alert_with(fingerprint="a"), 7, {}, alert_with()))
    kinds = [type(alert) for alert in readings.alerts]
    assert kinds == [Signal, Unreadable, Unreadable, Signal]


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"null", b'{"alerts": {}}', b'{"alerts": null}', b"", b"{"]
)
def test_a_body_without_a_list_of_alerts_is_one_unreadable_alert(body: bytes) -> None:
    readings = read(IntegrationKind.ALERTMANAGER, body)
    assert [type(alert) for alert in readings.alerts] == [Unreadable]
    assert readings.group is None


def test_an_empty_list_of_alerts_says_nothing() -> None:
    assert read_payload(payload_with()) == Readings(())


def test_without_a_fingerprint_the_labels_are_the_key_in_any_order() -> None:
    one = read_one(fingerprint=None, labels={"alertname": "A", "instance": "h1"})
    same = read_one(fingerprint="", labels={"instance": "h1", "alertname": "A"})
    other = read_one(fingerprint=None, labels={"alertname": "A", "instance": "h2"})
    assert one.dedup_key == same.dedup_key != other.dedup_key


@pytest.mark.parametrize(
    ("annotations", "labels", "title"),
    [
        ({"summary": "s", "title": "t"}, {"alertname": "A"}, "s"),
        ({"title": "t", "message": "m"}, {"alertname": "A"}, "t"),
        ({"message": "m"}, {"alertname": "A"}, "m"),
        ({"summary": "  "}, {"alertname": "A", "instance": "h1"}, "A (h1)"),
        ({}, {"alertname": "A"}, "A"),
        ({"summary": "two\nlines"}, {}, "two lines"),
        (None, None, "Alert 05a50f9306f6d8c2"),
    ],
)
def test_the_title_is_the_best_that_the_alert_says(
    annotations: object, labels: object, title: str
) -> None:
    assert read_one(annotations=annotations, labels=labels).title == title


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ({"severity": "page"}, Severity.CRITICAL),
        ({"severity": "warning"}, Severity.MEDIUM),
        ({"priority": "p3"}, Severity.MEDIUM),
        ({"severity": "weird", "priority": "P1"}, Severity.CRITICAL),
        ({"severity": "weird"}, None),
    ],
)
def test_severity_comes_from_its_label_or_from_the_priority(
    labels: dict[str, str], severity: Severity | None
) -> None:
    signal = read_one(labels=labels)
    assert signal.severity is severity
    assert signal.labels == labels


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"service": "s", "service_name": "n", "app": "a", "job": "j"}, "s"),
        ({"service_name": "n", "app": "a", "job": "j"}, "n"),
        ({"app": "a", "job": "j"}, "a"),
        ({"job": "j"}, "j"),
        ({}, None),
    ],
)
def test_the_service_is_the_most_telling_label(labels: object, service: str | None) -> None:
    assert read_one(labels=labels).service == service


def test_a_long_group_key_is_cut_alike_in_the_signal_and_the_group() -> None:
    readings = read_payload(payload_with(alert_with(), groupKey="g" * 1000))
    group_key = only(readings).group_key
    assert group_key is not None
    assert len(group_key) <= 255
    assert readings.group is not None
    assert readings.group.group_key == group_key
