"""A postmortem as one Markdown document: sections, timeline, action items.

The sections are Markdown already and go out as they were written; what is one line inside Tocsin
is one line here, so that no title can pass for a heading of its own.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.crud import crud_action_item
from app.db.session import ReadSession
from app.domain.action_item import ActionItemState
from app.domain.postmortem import SECTIONS, clock, lasted
from app.models import ActionItem, Incident, Postmortem
from app.services import postmortem as postmortem_service

MARKS = {
    ActionItemState.DONE: "[x]",
    ActionItemState.DROPPED: "[-]",
}
UNWRITTEN = "_Not written yet._"


async def markdown(session: ReadSession, incident_id: int) -> str:
    """The whole document, for whoever keeps it elsewhere."""
    found = await postmortem_service.require(session, incident_id)
    items = await crud_action_item.of_postmortem(session, found.id)
    return "\n".join(_lines(found, found.incident, items)) + "\n"


def _lines(found: Postmortem, incident: Incident, items: Sequence[ActionItem]) -> Iterator[str]:
    yield f"# {_line(found.title)}"
    yield ""
    yield from _facts(found, incident)
    for name, heading in SECTIONS.items():
        yield ""
        yield f"## {heading}"
        yield ""
        yield getattr(found, name).strip() or UNWRITTEN
    yield ""
    yield "## Timeline"
    yield ""
    for entry in found.timeline:
        moment = clock(datetime.fromisoformat(entry["happened_at"]))
        yield f"- **{moment}** {_line(entry['description'])}"
        if entry["note"]:
            yield f"  *{_line(entry['note'])}*"
    if not found.timeline:
        yield UNWRITTEN
    yield ""
    yield "## Action items"
    yield ""
    yield from (_item(item) for item in items)
    if not items:
        yield "_None._"


def _facts(found: Postmortem, incident: Incident) -> Iterator[str]:
    yield f"- Incident: #{incident.id} {_line(incident.title)}"
    yield f"- Service: {_line(incident.service)}"
    yield f"- Severity: {incident.severity}"
    yield f"- Opened: {clock(incident.created_at)}"
    if incident.resolved_at is not None:
        span = lasted(incident.resolved_at - incident.created_at)
        yield f"- Resolved: {clock(incident.resolved_at)} (after {span})"
    if found.owner is not None:
        yield f"- Owner: {_line(found.owner.display_name)}"
    said = {
        True: [one.user.display_name for one in found.reviews if one.approved_at],
        False: [one.user.display_name for one in found.reviews if not one.approved_at],
    }
    for has_approved, heading in ((True, "Approved by"), (False, "To be read by")):
        if said[has_approved]:
            yield f"- {heading}: {', '.join(_line(name) for name in said[has_approved])}"
    status = postmortem_service.shown(found.status)
    published = "" if found.published_at is None else f" on {clock(found.published_at)}"
    yield f"- Status: {status.removeprefix('a ')}{published}"


def _item(item: ActionItem) -> str:
    said = [str(item.priority)]
    if item.owner is not None:
        said.append(_line(item.owner.display_name))
    if item.due_on is not None:
        said.append(f"due {item.due_on.isoformat()}")
    if item.state is ActionItemState.IN_PROGRESS:
        said.append("in progress")
    if item.state is ActionItemState.DROPPED:
        said.append("dropped")
    link = "" if item.url is None else f" <{item.url}>"
    return f"- {MARKS.get(item.state, '[ ]')} {_line(item.title)} ({', '.join(said)}){link}"


def _line(text: str) -> str:
    return " ".join(text.split())
