"""How an installation words its messages."""

from typing import Any

from fastapi import APIRouter, Response

from app.api.deps import Admin, Now, Reader, ReadSession, ServiceDep, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.resource_route import ResourceRoute
from app.crud import crud_message_template
from app.messages.render import Rendered
from app.messages.wording import Wording
from app.schemas.message_template import (
    PreviewRead,
    PreviewRequest,
    TemplateRead,
    TemplatesRead,
    TemplateWrite,
    VariablesRead,
    WordedChannel,
    WordedKind,
)
from app.services import message_template as message_template_service
from app.services.message_template import Template

router = APIRouter(
    prefix="/message-templates", tags=["message templates"], route_class=ResourceRoute
)

EDITED = Edited(crud_message_template.lock, message_template_service.template, TemplateRead)


@router.get("", response_model=TemplatesRead, responses=answers(401))
async def list_message_templates(session: ReadSession, _: Reader) -> dict[str, Any]:
    """List every message that can be worded, as it reads now, in built-in or own words."""
    return {"items": await message_template_service.templates(session)}


@router.post("/preview", response_model=PreviewRead, responses=answers(401, 413, 422))
async def preview_message_template(
    service: ServiceDep, body: PreviewRequest, _: Reader
) -> Rendered:
    """Show how a wording would read about a believable incident; nothing is kept."""
    if body.body is None and body.subject is None:
        async with service.database.reading() as session:
            now_used = await message_template_service.template(session, body.kind, body.channel)
        return now_used.sample
    wording = Wording(body.subject, body.body or "")  # a subject alone is no wording
    return await message_template_service.preview(body.kind, body.channel, wording)


@router.get("/variables/{kind}", response_model=VariablesRead, responses=answers(401, 422))
async def list_message_variables(kind: WordedKind, _: Reader) -> dict[str, Any]:
    """List everything that wordings of this kind of message may use."""
    return {"items": message_template_service.variables(kind)}


@router.get(
    "/{kind}/{channel}",
    response_model=TemplateRead,
    responses=answers(401, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_message_template(
    session: ReadSession, kind: WordedKind, channel: WordedChannel, _: Reader
) -> Template:
    """Read how one kind of message is worded on one channel."""
    return await message_template_service.template(session, kind, channel)


@router.put(
    "/{kind}/{channel}", response_model=TemplateRead, responses=answers(401, 403, 412, 413, 422)
)
async def replace_message_template(
    session: WriteSession,
    kind: WordedKind,
    channel: WordedChannel,
    body: TemplateWrite,
    now: Now,
    admin: Admin,
    expected: IfMatch,
) -> Template:
    """Word one kind of message on one channel. `details.errors` names the line of each fault.

    A wording may use variables, filters, conditions and loops that cannot cost more than its own
    length. The link that stops a page is added where the wording leaves it out.
    """
    await expected.hold(EDITED, session, kind, channel)
    wording = Wording(body.subject, body.body)
    return await message_template_service.save(session, kind, channel, wording, by=admin, now=now)


@router.delete("/{kind}/{channel}", status_code=204, responses=answers(401, 403, 412, 422))
async def reset_message_template(
    session: WriteSession,
    kind: WordedKind,
    channel: WordedChannel,
    _: Admin,
    expected: IfMatch,
) -> Response:
    """Go back to the built-in wording, if it is not in use already."""
    await expected.hold(EDITED, session, kind, channel)
    await message_template_service.reset(session, kind, channel)
    return Response(status_code=204)
