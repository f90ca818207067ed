"""deploy/prometheus/rules.yml and docs/operations.md speak of the figures that there are."""

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.api.feed import Feed
from app.api.metrics import _figures
from app.api.state import NoLoops
from app.api.watch import Look
from app.core.metrics import Metrics
from app.crud.crud_health import Backlog, Queue, Sessions
from app.db.session import Database
from app.domain.heartbeat_monitor import MonitorState
from app.domain.notification import Channel
from tests.absent import absent

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
PAGE = (ROOT / "docs" / "operations.md").read_text()
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
PROGRAM = "promtool"


class Pulse(NoLoops):
    def report(self) -> dict[str, Any]:
        return {"escalation": {"alive": True, "seconds_since_last_round": 0.1}}

    def providers(self) -> dict[str, Any]:
        return {"email": {"mail.example:25": {"state": "closed"}}}

    def overdue(self) -> dict[str, int] | None:
        return {"steps": 0}


def shown() -> dict[str, set[str]]:
    """Every series that `/metrics` may have, with the names of its labels."""
    counted = Metrics()
    counted.answered("GET", "/health", 200, 0.1)
    counted.heartbeat("sent")
    queue = Queue(0, 0.0, 0.0)
    backlog = Backlog(queue, dict.fromkeys(Channel, queue))
    look = Look(True, backlog, Sessions(0.0, 0.0), dict.fromkeys(MonitorState, 0))
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    intake = SimpleNamespace(waiting=0)
    feed = Feed(database, most=1)
    service: Any = SimpleNamespace(pulse=Pulse(), database=database, intake=intake, feed=feed)
    families = [
        *text_string_to_metric_families(counted.render().decode()),
        *_figures(service, look),
    ]
    found: dict[str, set[str]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


SHOWN = shown()
SERIES = {name for name in SHOWN if name.startswith("tocsin_")}
BASES = {re.sub("_(bucket|count|sum)$", "", name) for name in SERIES}


def test_there_are_rules_and_each_has_a_name_of_its_own() -> None:
    assert sum(len(group["rules"]) for group in GROUPS) == len(ALERTS) >= 10


@pytest.mark.parametrize("name", ALERTS)
def test_a_rule_asks_for_what_there_is(name: str) -> None:
    expression = ALERTS[name]["expr"]
    asked = set(re.findall(r"\b(?:tocsin_\w+|up)\b", expression))
    assert asked
    assert asked - SERIES - {"up"} == set()
    labels = set(re.findall(r"(\w+)(?:=|!=|=~)\"", expression))
    labels |= {word for by in re.findall(r"by \(([^)]*)\)", expression) for word in by.split(", ")}
    known = set().union(*(SHOWN.get(series, set()) for series in asked))
    assert labels - known - {"instance", "job"} == set()


@pytest.mark.parametrize("name", ALERTS)
def test_a_rule_says_how_bad_it_is_and_what_it_means(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    assert re.search(rf"^\| `{name}` \| .{{40,}} \|$", PAGE, re.MULTILINE), "say what to do"


def test_lateness_has_rules() -> None:
    expressions = " ".join(rule["expr"] for rule in ALERTS.values())
    for series in ("tocsin_step_lateness", "tocsin_page_lateness", "oldest_due", "oldest_unsent"):
        assert series in expressions


def test_the_page_tells_every_figure_and_no_other() -> None:
    told = set(re.findall(r"^\| `(tocsin_\w+)`", PAGE, re.MULTILINE))
    assert told == BASES
    rules = set(re.findall(r"^\| `(Tocsin\w+)`", PAGE, re.MULTILINE))
    assert rules == set(ALERTS)


# --- Prometheus' own opinion --------------------------------------------------------------

STORY = """
rule_files: [{rules}]
evaluation_interval: 30s
tests:
  - name: quiet, and then a page that does not leave
    interval: 30s
    input_series:
      - series: 'tocsin_page_oldest_unsent_seconds{{channel="email",instance="a"}}'
        values: '0x10 130 160 190 220 250 0x10'
    alert_rule_test:
      - {{eval_time: 5m, alertname: TocsinPageUnsent, exp_alerts: []}}
      - eval_time: 7m
        alertname: TocsinPageUnsent
        exp_alerts:
          - exp_labels: {{severity: page, channel: email}}
            exp_annotations:
              summary: A page over email is 3m 40s late and has not left.
      - {{eval_time: 10m, alertname: TocsinPageUnsent, exp_alerts: []}}
  - name: steps that are taken late
    interval: 30s
    input_series:
      - series: 'tocsin_step_lateness_seconds_bucket{{le="10.0"}}'
        values: '0+10x20 200x40'
      - series: 'tocsin_step_lateness_seconds_bucket{{le="30.0"}}'
        values: '0+10x40'
      - series: 'tocsin_step_lateness_seconds_bucket{{le="+Inf"}}'
        values: '0+10x40'
    alert_rule_test:
      - {{eval_time: 9m, alertname: TocsinStepsLate, exp_alerts: []}}
      - eval_time: 18m
        alertname: TocsinStepsLate
        exp_alerts:
          - exp_labels: {{severity: page}}
            exp_annotations:
              summary: One step in a hundred of Tocsin’s policies is taken 29.8s late.
  - name: a subscription that is switched off, on one replica of two
    interval: 30s
    input_series:
      - series: 'tocsin_webhook_subscriptions_disabled_total{{reason="failing",instance="a"}}'
        values: '0x20 1x60'
      - series: 'tocsin_webhook_subscriptions_disabled_total{{reason="failing",instance="b"}}'
        values: '0x80'
      - series: 'tocsin_webhook_subscriptions_disabled_total{{reason="gone",instance="a"}}'
        values: '3x80'
    alert_rule_test:
      - {{eval_time: 9m, alertname: TocsinWebhookDisabled, exp_alerts: []}}
      - eval_time: 15m
        alertname: TocsinWebhookDisabled
        exp_alerts:
          - exp_labels: {{severity: ticket, reason: failing}}
            exp_annotations:
              summary: A webhook subscription was switched off (failing) and is told nothing more.
      - {{eval_time: 30m, alertname: TocsinWebhookDisabled, exp_alerts: []}}
"""


@pytest.fixture
def promtool() -> str:
    found = shutil.which(PROGRAM)
    if found is None:
        absent(PROGRAM, "prometheus")
    return found


def said(program: str, *arguments: str, given: bytes = b"") -> str:
    result = subprocess.run(
        [program, *arguments], check=False, input=given, capture_output=True, timeout=60
    )
    told = (result.stdout + result.stderr).decode()
    assert result.returncode == 0, told
    return told


@pytest.mark.peer
def test_prometheus_takes_the_rules(promtool: str) -> None:
    assert f"SUCCESS: {len(ALERTS)} rules found" in said(promtool, "check", "rules", str(RULES))


@pytest.mark.peer
def test_a_rule_fires_when_it_should_and_then_stops(promtool: str, tmp_path: Path) -> None:
    story = tmp_path / "story.yml"
    story.write_text(STORY.format(rules=RULES))
    assert "SUCCESS" in said(promtool, "test", "rules", str(story))


@pytest.mark.peer
def test_prometheus_finds_no_fault_with_the_figures(promtool: str) -> None:
    counted = Metrics()
    counted.answered("GET", "/health", 200, 0.1)
    assert said(promtool, "check", "metrics", given=counted.render()) == ""
