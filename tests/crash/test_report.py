"""What a run came to, as people and programs read it."""

import json
from pathlib import Path

from tests.crash import report
from tests.crash.judge import Verdict
from tests.crash.ledger import Books, Fault
from tests.crash.run import Options, Outcome

PROMISED = {
    "accepted", "promised", "delivered", "resent", "failed", "lost", "doubled", "lateness_p50",
    "lateness_p99", "kills", "faults", "seed", "duration", "verdict", "reasons",
}  # fmt: skip


def outcome(verdict: Verdict) -> Outcome:
    kill = Fault("kill", "kill serve", 1.0, 1.0, 8001)
    options = Options(seed=7, duration=60, kills=1)
    return Outcome(options, Books(faults=[kill, kill]), verdict, 71.25, 0, Path())


def test_the_file_has_what_others_rely_on(tmp_path: Path) -> None:
    verdict = Verdict(accepted=3, promised=2, delivered=2, lateness=[0.1, 0.2])
    report.write(tmp_path / "found.json", report.results(outcome(verdict)))
    found = json.loads((tmp_path / "found.json").read_text())
    assert found.keys() >= PROMISED
    assert (found["verdict"], found["seed"], found["kills"]) == ("green", 7, 2)
    assert found["faults"] == {"kill serve": 2}
    assert (found["lateness_p50"], found["lateness_p99"]) == (0.1, 0.2)


def test_a_red_table_says_why() -> None:
    red = Verdict(lost=1, reasons=["1 page(s) lost: k7x00001 never came"])
    shown = report.table(report.results(outcome(red)))
    assert shown.endswith("RED\n  - 1 page(s) lost: k7x00001 never came")
    assert "1  pages lost" in shown
    assert "2 of at least 1" in shown
    assert "2 × kill serve" in shown


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(1, 101)]
    assert report.percentile(values, 0.5) == 50.0
    assert report.percentile(values, 0.99) == 99.0
    assert report.percentile([3.0], 0.99) == 3.0
    assert report.percentile([], 0.5) == 0.0
