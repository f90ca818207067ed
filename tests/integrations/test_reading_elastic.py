"""Kibana's Webhook connector: the template we publish, and what people write instead."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.domain.incident import Severity
from app.domain.integration import (
    IntegrationKind,
    Readings,
    Signal,
    SignalAction,
    Unreadable,
    derived_key,
)
from app.integrations import read
from app.integrations.elastic import TEMPLATE

PAGE = Path(__file__).parents[2] / "docs" / "integrations" / "elastic.md"
FIRED = {
    "rule.id": "b2f1",
    "rule.name": 'Errors in "checkout"',
    "rule.tags": "apm,checkout",
    "alert.id": "checkout_production",
    "alert.actionGroup": "threshold_met",
    "context.reason": "Error count is 18 in the last 5 mins for checkout. Alert when > 10.",
    "context.serviceName": "checkout",
    "context.environment": "production",
    "context.triggerValue": "18",
    "context.threshold": "10",
    "context.alertDetailsUrl": "https://kibana.example/app/observability/alerts/1",
    "date": "2026-08-01T10:00:00.000Z",
}


def render(template: str, variables: dict[str, str]) -> bytes:
    """The template as Kibana renders it: escaped for JSON, unknown variables empty."""

    def value(placeholder: re.Match[str]) -> str:
        return json.dumps(variables.get(placeholder[1], ""))[1:-1]

    return re.sub(r"{{([\w.]+)}}", value, template).encode()


def read_body(body: object) -> Readings:
    return read(IntegrationKind.ELASTIC, json.dumps(body).encode())


def only(readings: Readings) -> Signal:
    (signal,) = readings.alerts
    assert isinstance(signal, Signal)
    return signal


def read_one(body: dict[str, object]) -> Signal:
    return only(read_body(body))


def read_rendered(**changes: str) -> Signal:
    variables = FIRED | {name.replace("_", "."): value for name, value in changes.items()}
    return only(read(IntegrationKind.ELASTIC, render(TEMPLATE, variables)))


def test_the_page_shows_exactly_the_template_that_is_tested_here() -> None:
    assert f"```json\n{TEMPLATE}```\n" in PAGE.read_text()


def test_the_rendered_template_is_one_trigger() -> None:
    assert read_rendered() == Signal(
        action=SignalAction.TRIGGER,
        dedup_key="b2f1:checkout_production",
        title='Errors in "checkout"',
        description=(
            "Error count is 18 in the last 5 mins for checkout. Alert when > 10.\n"
            "Value: 18, threshold: 10"
        ),
        service="checkout",
        source="elastic-apm",
        url="https://kibana.example/app/observability/alerts/1",
        tags=("apm", "checkout"),
        labels={
            "environment": "production",
            "value": "18",
            "threshold": "10",
            "status": "threshold_met",
            "timestamp": "2026-08-01T10:00:00.000Z",
        },
    )


@pytest.mark.parametrize("group", ["recovered", "Recovered"])
def test_the_same_template_rendered_on_recovery_resolves_the_same_key(group: str) -> None:
    empty = {name: "" for name in FIRED if name.startswith("context.")}
    body = render(TEMPLATE, FIRED | empty | {"alert.actionGroup": group})
    recovered = only(read(IntegrationKind.ELASTIC, body))
    assert recovered.action is SignalAction.RESOLVE
    assert recovered.dedup_key == read_rendered().dedup_key


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("resolved", SignalAction.RESOLVE),
        ("OK", SignalAction.RESOLVE),
        ("closed", SignalAction.RESOLVE),
        ("inactive", SignalAction.RESOLVE),
        ("notGeoContained", SignalAction.RESOLVE),
        ("active", SignalAction.TRIGGER),
        ("metrics.threshold.fired", SignalAction.TRIGGER),
        ("unresolved", SignalAction.TRIGGER),
        ("not recovered", SignalAction.TRIGGER),
        ("", SignalAction.TRIGGER),
    ],
)
def test_only_a_word_for_recovery_resolves(word: str, action: SignalAction) -> None:
    assert read_rendered(alert_actionGroup=word).action is action


@pytest.mark.parametrize(
    "name",
    [
        *("status", "state", "action_group", "actionGroup", "alert.actionGroup"),
        *("alertActionGroup", "kibana.alert.status", "event_action"),
    ],
)
def test_the_status_has_many_names(name: str) -> None:
    assert read_one({"title": "t", name: "recovered"}).action is SignalAction.RESOLVE


@pytest.mark.parametrize(
    "body",
    [
        {"title": "Errors", "name": "no"},
        {"rule_name": "Errors"},
        {"ruleName": "Errors"},
        {"rule.name": "Errors"},
        {"rule": {"name": "Errors"}, "reason": "no"},
        {"alertName": "Errors"},
        {"kibana.alert.rule.name": "Errors"},
        {"kibana": {"alert": {"rule": {"name": "Errors"}}}},
        {"kibana.alert": {"rule.name": ["Errors"]}},
        {"title": "{{context.title}}", "name": "Errors"},
        {"title": " ", "message": "Errors"},
        {"context": {"reason": "Errors"}},
    ],
)
def test_the_title_has_many_names(body: dict[str, object]) -> None:
    assert read_one(body).title == "Errors"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"dedup_key": "k", "alert.uuid": "u"}, "k"),
        ({"dedupKey": "k"}, "k"),
        ({"rule_id": "r", "alert_id": "a", "alert.uuid": "u"}, "r:a"),
        ({"rule": {"id": "r"}, "alert": {"id": "a"}}, "r:a"),
        ({"kibana.alert.rule.uuid": "r", "kibana.alert.instance.id": "a"}, "r:a"),
        ({"dedup_key": ":", "alert": {"uuid": "u"}}, "u"),
        ({"dedup_key": "{{rule.id}}:{{alert.id}}", "kibana.alert.uuid": "u"}, "u"),
        ({"alert": {"id": 7}}, "7"),
    ],
)
def test_the_key_is_what_names_the_alert_best(body: dict[str, object], key: str) -> None:
    assert read_one(body | {"title": "t"}).dedup_key == key


@pytest.mark.parametrize("dedup_key", [":", "", "{{rule.id}}:{{alert.id}}", None])
def test_without_a_key_service_environment_and_title_are_the_key(dedup_key: str | None) -> None:
    body: dict[str, object] = {
        "dedup_key": dedup_key,
        "title": "Errors",
        "serviceName": "checkout",
        "context": {"environment": "production"},
    }
    fired, recovered = read_one(body), read_one(body | {"status": "recovered"})
    expected = derived_key("elastic", "checkout", "production", "Errors")
    assert fired.dedup_key == recovered.dedup_key == expected
    assert recovered.action is SignalAction.RESOLVE


@pytest.mark.parametrize("name", ["service", "serviceName", "service_name", "service.name"])
def test_the_service_has_many_names(name: str) -> None:
    assert read_one({"title": "t", name: "checkout"}).service == "checkout"
    assert read_one({"title": "t", "context": {name: "checkout"}}).labels.get("service") is None


def test_what_has_no_place_of_its_own_becomes_a_label() -> None:
    signal = read_one(
        {
            "title": "t",
            "context": {"transactionName": "GET /", "interval": "5 mins", "empty": ""},
            "host.name": ["h1"],
            "flapping": False,
            "nothing": None,
            "unrendered": "{{context.nope}}",
        }
    )
    assert signal.labels == {
        "transactionName": "GET /",
        "context.interval": "5 mins",
        "host.name": "h1",
        "flapping": "false",
    }


def test_the_source_is_elastic_unless_the_body_says_more() -> None:
    assert read_one({"title": "t"}).source == "elastic"


@pytest.mark.parametrize(
    ("word", "severity", "labels"),
    [
        ("critical", Severity.CRITICAL, {}),
        ("warning", Severity.MEDIUM, {}),
        ("purple", None, {"severity": "purple"}),
    ],
)
def test_severity_is_read_or_kept_as_a_label(
    word: str, severity: Severity | None, labels: dict[str, str]
) -> None:
    signal = read_one({"title": "t", "kibana.alert.severity": word})
    assert (signal.severity, signal.labels) == (severity, labels)


def test_a_relative_link_gives_way_to_a_whole_one() -> None:
    context = {"alertDetailsUrl": "", "viewInAppUrl": "/app/apm"}
    signal = read_one({"title": "t", "context": context, "rule.url": "https://kibana.example/r"})
    assert signal.url == "https://kibana.example/r"


@pytest.mark.parametrize("tags", ["a,b c", ["a", "b c"], "a;b c", " a , b c, a,"])
def test_tags_come_as_a_list_or_as_kibana_renders_one(tags: object) -> None:
    assert read_one({"title": "t", "rule": {"tags": tags}}).tags == ("a", "b c")


@pytest.mark.parametrize(
    "body", [{}, {"status": "recovered"}, {"dedup_key": ":"}, {"title": "{{x}}"}]
)
def test_an_object_that_names_no_problem_is_unreadable(body: object) -> None:
    assert read_body(body) == Readings(
        (Unreadable("An alert needs a title, a reason or a dedup_key."),)
    )


def test_a_key_alone_is_enough_to_page() -> None:
    signal = read_one({"dedup_key": "k"})
    assert (signal.action, signal.title) == (SignalAction.TRIGGER, "Elastic alert k")


def test_a_list_is_read_alert_by_alert() -> None:
    readings = read_body([{"title": "a"}, 5, {"title": "b", "status": "ok"}])
    kinds = [type(alert) for alert in readings.alerts]
    assert kinds == [Signal, Unreadable, Signal]


SUMMARY: dict[str, Any] = {
    "rule": {"id": "r", "name": "Errors"},
    "dedup_key": "r:",
    "service": "checkout",
    "alerts": {
        "new": {"count": 1, "data": [{"kibana.alert.instance.id": "a"}]},
        "ongoing": {"count": 1, "data": [{"kibana": {"alert": {"instance": {"id": "b"}}}}]},
        "recovered": {
            "count": 1,
            "data": [{"kibana.alert.instance.id": "c", "kibana.alert.reason": "It was slow."}],
        },
    },
}


def test_a_summary_triggers_new_and_ongoing_alerts_and_resolves_recovered_ones() -> None:
    signals = [alert for alert in read_body(SUMMARY).alerts if isinstance(alert, Signal)]
    assert [(signal.action, signal.dedup_key, signal.title) for signal in signals] == [
        (SignalAction.TRIGGER, "r:a", "Errors"),
        (SignalAction.TRIGGER, "r:b", "Errors"),
        (SignalAction.RESOLVE, "r:c", "It was slow."),
    ]
    assert {signal.service for signal in signals} == {"checkout"}


def test_a_summary_may_carry_its_lists_as_json_in_a_string() -> None:
    as_text = {name: {"data": json.dumps(b["data"])} for name, b in SUMMARY["alerts"].items()}
    assert read_body(SUMMARY | {"alerts": as_text}) == read_body(SUMMARY)


def test_the_summary_that_the_page_shows_can_be_read() -> None:
    (template,) = re.findall(r"```\n({\n.*?\n})\n```", PAGE.read_text(), re.DOTALL)
    variables = {
        f"alerts.{name}.data.asJSON": json.dumps(bucket["data"])
        for name, bucket in SUMMARY["alerts"].items()
    }
    readings = read(IntegrationKind.ELASTIC, render(template, FIRED | variables))
    signals = [alert for alert in readings.alerts if isinstance(alert, Signal)]
    keys = [signal.dedup_key for signal in signals]
    assert keys == ["b2f1:a", "b2f1:b", "b2f1:c"]
    assert signals[-1].action is SignalAction.RESOLVE


def test_a_summary_of_nothing_says_nothing() -> None:
    assert read_body({"rule.name": "r", "alerts": {"new": {"data": []}}}) == Readings(())


def test_a_summary_list_that_cannot_be_read_leaves_the_others_alone() -> None:
    alerts = {"new": {"data": "[object Object]"}, "recovered": {"data": [{"alert.id": "c"}]}}
    unreadable, signal = read_body({"alerts": alerts}).alerts
    assert unreadable == Unreadable(
        "alerts.new.data is not a list of alerts; write {{alerts.new.data.asJSON}}."
    )
    assert isinstance(signal, Signal)


def test_all_alerts_of_a_summary_follow_their_own_status() -> None:
    found = [
        {"alert.id": "a", "kibana.alert.status": "active"},
        {"alert.id": "b", "kibana.alert.status": "recovered"},
    ]
    signals = read_body({"alerts": {"all": {"data": found}}}).alerts
    assert [type(signal) for signal in signals] == [Signal, Signal]
    actions = [signal.action for signal in signals if isinstance(signal, Signal)]
    assert actions == [SignalAction.TRIGGER, SignalAction.RESOLVE]


def test_counts_alone_are_not_a_list_of_alerts() -> None:
    signal = read_one({"title": "t", "alerts": {"new": {"count": 2}}})
    assert (signal.title, signal.labels) == ("t", {"alerts.new.count": "2"})
