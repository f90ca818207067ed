"""What a run came to: a table for people, a file for programs."""

import json
from pathlib import Path
from typing import Any

from tests.crash.run import Outcome


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so many of them do not exceed."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-int(share * 1000) * len(ranked) // 1000) - 1))]


def results(outcome: Outcome) -> dict[str, Any]:
    """Everything that is known of a run, for crash_results.json."""
    verdict, books = outcome.verdict, outcome.books
    return {
        "verdict": "green" if verdict.is_green else "red",
        "reasons": verdict.reasons,
        "seed": outcome.options.seed,
        "duration": outcome.options.duration,
        "seconds": round(outcome.seconds, 1),
        "replicas": list(outcome.options.commands),
        **{name: getattr(verdict, name) for name, _ in ROWS},
        **{f"events_{name}": getattr(verdict.events, name) for name, _ in EVENT_ROWS},
        "lateness_p50": round(percentile(verdict.lateness, 0.5), 3),
        "lateness_p99": round(percentile(verdict.lateness, 0.99), 3),
        "lateness_max": round(max(verdict.lateness, default=0.0), 3),
        "lateness_calm_p50": round(percentile(verdict.lateness_calm, 0.5), 3),
        "lateness_calm_p99": round(percentile(verdict.lateness_calm, 0.99), 3),
        "slowness": round(books.slowness, 2),
        "kills": books.kills(),
        "kills_wanted": outcome.options.kills,
        "ended_by_themselves": outcome.ended_by_themselves,
        "faults": books.faults_by_kind(),
    }


ROWS = (
    ("accepted", "alerts answered with 2xx"),
    ("promised", "pages owed by them"),
    ("delivered", "pages that came"),
    ("delivered_once", "… exactly once"),
    ("resent", "copies under the same mark, after a fault on that very send"),
    ("refused", "attempts that a sink refused"),
    ("called_off", "pages stopped by an answer"),
    ("crossed", "messages on their way when the answer came"),
    ("failed", "pages given up"),
    ("lost", "pages lost"),
    ("doubled", "pages doubled"),
    ("after_answer", "messages sent after an answer"),
    ("wrong", "messages that nobody owes"),
    ("early", "pages before their time"),
)
EVENT_ROWS = (
    ("owed", "events owed to subscriptions"),
    ("delivered", "events that came"),
    ("delivered_once", "… exactly once"),
    ("resent", "copies under the same webhook-id, after a fault on that very send"),
    ("refused", "attempts that the endpoint refused"),
    ("lost", "events lost"),
    ("doubled", "events doubled"),
    ("wrong", "events that did not happen, or were not to be told there"),
)


def table(found: dict[str, Any]) -> str:
    lines = [f"{found[name]:>8}  {told}" for name, told in ROWS]
    lines += ["", *(f"{found[f'events_{name}']:>8}  {told}" for name, told in EVENT_ROWS)]
    late = "p50 {lateness_p50} s, p99 {lateness_p99} s, worst {lateness_max} s"
    calm = "p50 {lateness_calm_p50} s, p99 {lateness_calm_p99} s"
    lines += [
        "",
        f"Late    {late.format(**found)}; where nothing was broken {calm.format(**found)}",
        f"Kills   {found['kills']} of at least {found['kills_wanted']}",
        "Faults  " + ", ".join(f"{number} × {what}" for what, number in found["faults"].items()),
        f"Machine {found['slowness']:g} × as slow as an idle one; what may take a moment may take"
        " as many",
        f"Seed    {found['seed']}, {found['duration']:g} s of alerts and faults,"
        f" {found['seconds']:g} s in all; {', '.join(found['replicas'])}",
        "",
        found["verdict"].upper() + "".join(f"\n  - {reason}" for reason in found["reasons"]),
    ]
    return "\n".join(lines)


def write(path: Path, found: dict[str, Any]) -> None:
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
