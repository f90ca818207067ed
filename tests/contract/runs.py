"""One run of schemathesis against one operation, or along the chains between all of them.

Every check that schemathesis has is on. What a check sees amiss is a finding, unless
`excuses` knows a reason. A run can be repeated: its seed is fixed, the world it begins in is
always the same, and nothing that it learns is kept.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.engine.run import PhaseName
from schemathesis.generation.case import Case

from tests.contract.answers import Answer
from tests.contract.excuses import Seeming, excuse
from tests.contract.peopled import NEAR_KEYS

SEED = 20_261_121
EXAMPLES = 50

Credentials = dict[str, str]
# The headers of whoever asks, made anew whenever the ones before have stopped working.
Credentialer = Callable[[dict[str, Any]], Credentials | None]


class Finding(NamedTuple):
    """What a check saw amiss, and the request that shows it."""

    check: str
    message: str
    curl: str
    answer: Answer

    @property
    def kind(self) -> tuple[object, ...]:
        """The same for requests that differ by chance only."""
        return self.check, self.message, self.answer.status, self.answer.code, self.answer.place

    def __str__(self) -> str:
        return f"{self.check}\n{self.message}\n{self.curl}\n→ {self.answer}"


@dataclass
class Seen:
    """What one run sent, and what came of it."""

    findings: list[Finding] = field(default_factory=list)
    excused: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str | None] = field(default_factory=dict)
    requests: list[tuple[str, str, bytes | None]] = field(default_factory=list)

    def report(self) -> str:
        """Each kind of finding once, by its shortest request."""
        kinds: dict[tuple[object, ...], list[Finding]] = {}
        for finding in self.findings:
            kinds.setdefault(finding.kind, []).append(finding)
        shown = [
            f"{len(found)} × {min(found, key=lambda finding: len(finding.curl))}"
            for found in kinds.values()
        ]
        return "\n\n".join(["", *shown, f"answers: {dict(self.answers)}, sent: {dict(self.sent)}"])


class Extent(Enum):
    """How much a run does."""

    CHANCE = ("examples", "fuzzing")
    ALL = ("examples", "coverage", "fuzzing")
    CHAINS = ("stateful",)


def _config(url: str, extent: Extent) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "base-url": url,
            "cache": {"enabled": False},
            # All that is amiss at once, and no shrinking, which would repeat what was done.
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "auth": {"auto-signup": False},
            # These credentials live for one test, and a finding should be easy to send again.
            "output": {"sanitization": {"enabled": False}},
            "dictionaries": {"near keys": {"values": NEAR_KEYS}},
            "generation": {
                "max-examples": EXAMPLES,
                "database": "none",
                # No text of ours holds the character NUL, which JSON Schema can hardly say.
                "allow-x00": False,
                "dictionaries": {"integer": {"dictionary": "near keys", "probability": 0.5}},
            },
            "phases": {
                "examples": {"enabled": "examples" in extent.value},
                "coverage": {"enabled": "coverage" in extent.value},
                "fuzzing": {
                    "enabled": "fuzzing" in extent.value,
                    # What answers hold would feed later requests: then one that deletes ends
                    # its own run, silently, because what is drawn from is no longer the same.
                    "extra-data-sources": {"responses": False},
                },
                "stateful": {"enabled": "stateful" in extent.value},
            },
        }
    )


def _with_plain_bearers(document: dict[str, Any]) -> dict[str, Any]:
    """The document as it is for those who have their token: schemathesis knows no OAuth2.

    It would not see that an operation which asks for a login lets in whoever comes without.
    """
    components = document["components"]
    schemes = {
        name: {"type": "http", "scheme": "bearer"} if scheme["type"] == "oauth2" else scheme
        for name, scheme in components.get("securitySchemes", {}).items()
    }
    return {**document, "components": {**components, "securitySchemes": schemes}}


def _schema(url: str, document: dict[str, Any], who: Credentialer, extent: Extent) -> Any:
    config = _config(url, extent)
    schema = schemathesis.openapi.from_dict(_with_plain_bearers(document), config=config)

    class Current:
        """Asked for at first, and again after a 401."""

        def get(self, case: Case, _: object) -> Credentials | None:
            return who(case.operation.definition.raw)

        def set(self, case: Case, credentials: Credentials, _: object) -> None:
            case.headers.update(credentials)

    schema.auth(cache_by_key=lambda case, _: case.operation.label)(Current)
    return schema


def run_operation(
    url: str, document: dict[str, Any], label: str, who: Credentialer, extent: Extent = Extent.ALL
) -> Seen:
    """The document's examples, chance and (if all is asked for) the edges of one operation."""
    return _seen(_schema(url, document, who, extent).include(name=label), document)


def run_chains(url: str, document: dict[str, Any], who: Credentialer) -> Seen:
    """What one operation answers, asked of the next: made, read, changed, deleted, read."""
    return _seen(_schema(url, document, who, Extent.CHAINS), document)


def _seen(schema: Any, document: dict[str, Any]) -> Seen:
    seen = Seen()
    for event in from_schema(schema).execute():
        match event:
            case events.NonFatalError():
                seen.findings.append(Finding("run", event.info.format(), event.label, Answer(None)))
            case events.ScenarioFinished():
                _note(seen, event, document)
            case _:
                pass
    return seen


def _note(seen: Seen, event: events.ScenarioFinished, document: dict[str, Any]) -> None:
    recorder = event.recorder
    assert isinstance(recorder, ScenarioRecorder)
    phase = PhaseName(event.phase).value
    if event.status == Status.SKIP:
        seen.skipped[phase] = event.skip_reason
    for case_id, interaction in recorder.interactions.items():
        if recorder.cases[case_id].parent_id is None or phase == "stateful":
            seen.sent[phase] += 1
        request = interaction.request
        seen.requests.append((request.method, request.uri, request.body))
        if interaction.response is not None:
            seen.answers[interaction.response.status_code] += 1
    for check, failure, case_id, curl in _failures(recorder):
        answer = Answer(recorder.interactions[case_id].response)
        case = recorder.cases[case_id].value
        reason = excuse(Seeming(check, failure, case, answer, document))
        if reason is None:
            seen.findings.append(Finding(check, failure.message, curl, answer))
        else:
            seen.excused[reason] += 1


def _failures(recorder: ScenarioRecorder) -> Iterator[tuple[str, Failure, str, str]]:
    """Check, what it saw, in which case, and the request to send again."""
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                yield (
                    check.name,
                    failure,
                    failure.case_id or case_id,
                    check.failure_info.code_sample,
                )
