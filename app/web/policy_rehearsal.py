"""What a policy would do, beside the form in which it is written: a rehearsal by the code that
pages, of an incident that its conditions are for."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.api.rehearsing import rehearsed
from app.api.state import Service
from app.api.throttling import count
from app.core.errors import TocsinError
from app.domain.conditions import LABELS
from app.domain.incident import Opening, Severity, read_severity
from app.schemas.escalation import PolicyCreate
from app.schemas.simulation import HypotheticalIncident
from app.services import simulation
from app.services.simulation import Question
from app.web import forms, ladder
from app.web.deps import Visitor
from app.web.forms import FormFault
from app.web.wall import wall_of

MOST_MINUTES = 7 * 24 * 60


async def rehearse(
    service: Service, visitor: Visitor, document: Mapping[str, Any], given: Mapping[str, str]
) -> dict[str, Any]:
    """Who would be paged when by this draft, or what keeps it from being tried."""
    facts = _facts(document, given)
    told: dict[str, Any] = {"facts": facts, "faults": {}, "ladders": [], "doubts": [], "misses": []}
    try:
        named = {**document, "name": document.get("name") or "This policy", "is_active": True}
        draft = forms.shaped(PolicyCreate, named, {})
        asked = forms.shaped(HypotheticalIncident, {**facts, "created_by": visitor.user.id}, {})
        await count(service, [(simulation.PER_USER, str(visitor.user.id))])
        found = await rehearsed(
            service,
            Question(
                Opening(**asked.model_dump(exclude={"assignees"}), story="A rehearsal."),
                draft=draft.model_dump(mode="json", exclude_none=True),
                at=_at(visitor, given),
                answered_after=_answered(given),
            ),
        )
    except FormFault as fault:
        return told | {"faults": fault.errors}
    except TocsinError as error:
        return told | {"faults": forms.faults_of(error)}
    own = next((one for one in found.policies if one.policy_id is None), None)
    return told | {
        "ladders": ladder.of_rehearsal(found.lines),
        "first": ladder.next_page(found.lines, found.starts_at),
        "starts_at": found.starts_at,
        "doubts": found.warnings,
        "misses": [] if own is None or own.matches else own.reasons,
        "is_complete": found.is_complete,
    }


def _facts(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The incident that is supposed: as it was typed, else as the conditions want it."""
    conditions = document.get("conditions")
    wanted = conditions if isinstance(conditions, Mapping) else {}
    severity = given.get("_if_severity") or _first(wanted.get("severity"), "high")
    service = given.get("_if_service", "").strip() or _first(wanted.get("service"), "a service")
    tags = given.get("_if_tags", "")
    typed = [word.strip() for word in tags.split(",") if word.strip()]
    usual = [] if given.get("_if_service") else [_first(wanted.get("tags"), "")]
    labels = {
        key.removeprefix(LABELS): _first(value, "")
        for key, value in wanted.items()
        if key.startswith(LABELS)
    }
    facts: dict[str, Any] = {"labels": {name: word for name, word in labels.items() if word}}
    source = _first(wanted.get("source"), "")
    if source:
        facts["source"] = source
    return facts | {
        "title": _first(wanted.get("title"), "A hypothetical incident"),
        "severity": str(read_severity(severity) or Severity.HIGH),
        "service": service[:100],
        "tags": typed or [one for one in usual if one],
    }


def _first(wanted: Any, otherwise: str) -> str:
    """A word that a condition is content with."""
    if isinstance(wanted, Mapping):
        wanted = wanted.get("in") or wanted.get("contains")
    if isinstance(wanted, list):
        wanted = wanted[0] if wanted else None
    return wanted if isinstance(wanted, str) and wanted else otherwise


def _answered(given: Mapping[str, str]) -> timedelta | None:
    word = given.get("_if_answered", "")
    is_number = word.isascii() and word.isdigit() and len(word) <= 5
    return timedelta(minutes=int(word)) if is_number and 0 < int(word) <= MOST_MINUTES else None


def _at(visitor: Visitor, given: Mapping[str, str]) -> datetime | None:
    text = given.get("_if_at", "")
    if not text:
        return None
    try:
        at = wall_of(visitor.user.time_zone).read(text)
    except (ValueError, OverflowError):
        return None
    return at if 2000 <= at.year <= 2100 else None
