"""deploy/grafana/tocsin.json asks for figures that there are, by labels that they have."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.absent import absent
from tests.architecture.test_alert_rules import SHOWN, shown

ROOT = Path(__file__).parents[2]
BOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "tocsin.json").read_text())
PANELS = {panel["title"]: panel for panel in BOARD["panels"] if panel["type"] != "row"}
ROWS = [panel for panel in BOARD["panels"] if panel["type"] == "row"]
EXPRESSIONS = {
    f"{title} {target['refId']}": target["expr"]
    for title, panel in PANELS.items()
    for target in panel["targets"]
}
ANYWHERE = {"instance", "job", "le"}


def test_the_board_is_whole() -> None:
    assert (BOARD["title"], BOARD["uid"]) == ("Tocsin", "tocsin")
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids)) == len(PANELS) + len(ROWS)
    for panel in PANELS.values():
        assert panel["datasource"]["uid"] == "${source}"  # whoever loads it chooses
        assert panel["targets"]
    variables = {variable["name"] for variable in BOARD["templating"]["list"]}
    named = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(BOARD)))
    assert named == variables


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_panel_asks_for_what_there_is(name: str) -> None:
    expression = EXPRESSIONS[name]
    asked = set(re.findall(r"\btocsin_\w+", expression))
    assert asked
    assert asked - SHOWN.keys() == set()
    labels = set(re.findall(r'(\w+)(?:=~|!=|=)"', expression))
    labels |= {word for by in re.findall(r"by \(([^)]*)\)", expression) for word in by.split(", ")}
    known = set().union(*(SHOWN[series] for series in asked))
    assert labels - known - ANYWHERE == set()


def test_everything_that_matters_has_a_place() -> None:
    asked = " ".join(EXPRESSIONS.values())
    for series in (
        *("step_lateness", "page_lateness", "steps_due", "messages_due", "overdue", "alerts_total"),
        *(
            "messages_total",
            "http_request_seconds",
            "breaker_state",
            "loop_age",
            "database_connections",
            "streams_open",
        ),
    ):
        assert f"tocsin_{series}" in asked
    assert "channel" in EXPRESSIONS["Sent by channel A"]


def test_a_figure_that_is_none_would_be_seen() -> None:
    assert "tocsin_wishes" not in shown()


def test_no_panel_lies_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.peer
def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        absent("promtool", "prometheus")
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(EXPRESSIONS.values())
    ]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    checked = subprocess.run(
        [promtool, "check", "rules", path], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
