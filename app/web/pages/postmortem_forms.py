"""Writing a postmortem: its sections beside the incident's timeline, saved while it is written.

The form carries the revision that it was filled from. Where somebody was faster nothing is
overwritten: what was typed stays in the form, and who wants it to win says so.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.errors import path
from app.api.etags import Edited, Expected
from app.api.state import Service
from app.core.errors import ChangedMeanwhileError, TocsinError
from app.crud import crud_postmortem
from app.db.session import transaction_time
from app.domain.postmortem import SECTIONS, PostmortemStatus
from app.models import Postmortem
from app.schemas.postmortem import PostmortemRead, PostmortemUpdate
from app.services import postmortem as postmortem_service
from app.web import choices, flash, forms, listing
from app.web.deps import RespondingDep
from app.web.forms import FormFault
from app.web.templating import render

router = APIRouter(include_in_schema=False, route_class=BoundedRoute)

ONE = "/incidents/{incident_id}/postmortem"
EDITED = Edited(crud_postmortem.lock, postmortem_service.require, PostmortemRead)
TEXTS = ("title", *SECTIONS, "public_summary", "public_body")
PROMPTS = {
    "summary": "What happened, in two sentences that anybody understands.",
    "impact": "Who noticed, how much, and for how long?",
    "root_cause": "Why could it happen? Ask why again.",
    "went_well": "What helped, and should stay?",
    "went_badly": "What made it longer, worse, or harder?",
    "lessons": "What do you know now that you did not know before?",
}


@router.get(f"{ONE}/edit")
async def show_edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        found = await postmortem_service.require(session, incident_id)
    return await _form(request, visitor, service, incident_id, _filled(found), {})


@router.post(f"{ONE}/edit")
async def edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    given = await _typed(request)
    is_auto = request.query_params.get("auto") == "1"
    errors: dict[str, str] = {}
    other: PostmortemRead | None = None
    try:
        body = _shaped(given)
        expected = Expected(frozenset({given["revision"]}))
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await expected.hold(EDITED, session, incident_id)
            saved = await postmortem_service.edit(
                session, incident_id, body.named(), by=visitor.user, now=now
            )
            revision = saved.revision
    except FormFault as fault:
        errors = fault.errors
    except ChangedMeanwhileError as error:
        other = PostmortemRead.model_construct(**error.details["current"])
    except TocsinError as error:
        errors = forms.faults_of(error)
    if is_auto:
        return render(
            request,
            visitor,
            "postmortems/edit.html",
            block="saved",
            is_fresh=True,
            errors=errors,
            other=other,
            incident_id=incident_id,
            revision=given["revision"] if errors or other else revision,
        )
    if errors or other:
        return await _form(request, visitor, service, incident_id, given, errors, other)
    return flash.back(request, f"/incidents/{incident_id}/postmortem", "Your changes are saved.")


async def _form(
    request: Request,
    visitor: RespondingDep,
    service: Service,
    incident_id: int,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
    other: PostmortemRead | None = None,
) -> HTMLResponse:
    async with service.database.reading() as session:
        found = await postmortem_service.require(session, incident_id)
        story = await crud_postmortem.timeline_of(session, incident_id)
        offered = await choices.offered(session, now=visitor.now)
    # Each time it is shown the revision is that of what is there: saving again overwrites it.
    return render(
        request,
        visitor,
        "postmortems/edit.html",
        status=412 if other else 422 if errors else 200,
        found=found,
        incident=found.incident,
        incident_id=incident_id,
        story=story,
        offered=offered,
        people=listing.people(offered.users),
        given=given,
        errors=errors,
        other=other,
        revision=found.revision,
        sections=SECTIONS,
        prompts=PROMPTS,
        is_published=found.status is PostmortemStatus.PUBLISHED,
        is_fresh=False,
    )


def _filled(found: Postmortem) -> dict[str, Any]:
    """What the form says of a postmortem as it is."""
    entries = found.timeline
    return {
        **{name: getattr(found, name) for name in TEXTS},
        "owner_id": str(found.owner_id or ""),
        "reviewers": [one.user_id for one in found.reviews],
        "picked": {one["event_id"]: one["note"] for one in entries if one["event_id"]},
        "own": [
            {
                "at": _clock(one["happened_at"]),
                "text": one["description"],
                "note": one["note"],
            }
            for one in entries
            if not one["event_id"]
        ],
    }


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


async def _typed(request: Request) -> dict[str, Any]:
    """The form as it was typed."""
    form = await request.form()
    texts = {name: text for name, text in form.multi_items() if isinstance(text, str)}
    picked = [word for word in form.getlist("_pick") if isinstance(word, str)]
    rows = sorted(
        int(name[len("_own-text-") :])
        for name in texts
        if name.startswith("_own-text-") and name[len("_own-text-") :].isdecimal()
    )
    own = [
        {part: texts.get(f"_own-{part}-{row}", "").strip() for part in ("at", "text", "note")}
        for row in rows[:300]
    ]
    revision = texts.get("_revision", "")
    return {
        **{name: _lines(texts[name]) for name in TEXTS if name in texts},
        "owner_id": texts.get("owner_id", ""),
        "reviewers": [_number(word) for word in form.getlist("_reviewer")],
        "picked": {_number(word): texts.get(f"_note-{word}", "").strip() for word in picked},
        "own": [one for one in own if any(one.values())],
        "revision": _number(revision),
    }


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")  # as a browser sends them


def _number(word: object) -> int:
    """A number out of a form of ours; 0, which nothing has, for whatever is none."""
    is_number = isinstance(word, str) and word.isascii() and word.isdigit() and len(word) < 16
    return int(str(word)) if is_number else 0


def _shaped(given: Mapping[str, Any]) -> PostmortemUpdate:
    """The API's own shape of it."""
    body: dict[str, Any] = {name: given[name] for name in TEXTS if name in given}
    owner = given["owner_id"]
    body["owner_id"] = _number(owner) if owner else None
    body["reviewers"] = given["reviewers"]
    body["timeline"] = [
        {"event_id": key, "note": note} for key, note in given["picked"].items()
    ] + [
        {"happened_at": f"{one['at']}Z", "description": one["text"], "note": one["note"]}
        if one["at"]
        else {"description": one["text"], "note": one["note"]}
        for one in given["own"]
    ]
    try:
        return PostmortemUpdate.model_validate(body)
    except ValidationError as error:
        told: dict[str, str] = {}
        for fault in error.errors(include_input=False, include_url=False):
            place = path({**fault, "loc": ("body", *fault["loc"])}, body)
            told.setdefault(place, str(fault["msg"]).removeprefix("Value error, ") + ".")
        raise FormFault({}, told) from None
