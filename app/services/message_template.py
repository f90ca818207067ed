"""How this installation words its messages: its own wordings, in the place of the built-in ones.

A wording is checked before it is kept, and off the event loop: a page must not wait for one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.errors import InvalidInputError
from app.crud import crud_message_template
from app.db.session import ReadSession, WriteSession
from app.domain.notification import INCIDENT_KINDS, Channel, NotificationKind
from app.messages import wording as wordings
from app.messages.render import Rendered
from app.messages.render import preview as render_preview
from app.messages.wording import WORDED_CHANNELS, Variable, Wording
from app.models import MessageTemplate, User


class InvalidTemplateError(InvalidInputError):
    """The wording cannot be used; `details.errors` names each place."""

    code = "INVALID_TEMPLATE"


@dataclass(frozen=True)
class Template:
    """How one kind of message reads on one channel, by whomever it is worded.

    Only an own wording has a source; `sample` shows how it or the built-in one comes out.
    """

    kind: NotificationKind
    channel: Channel
    sample: Rendered
    is_custom: bool = False
    subject: str | None = None
    body: str | None = None
    revision: int = 0
    updated_at: datetime | None = None
    updated_by: int | None = None

    @property
    def fault(self) -> str | None:
        """Why the own wording is not used any more."""
        return self.sample.fault


async def templates(session: ReadSession) -> Sequence[Template]:
    """Every message that can be worded."""
    own = {(row.kind, row.channel): row for row in await crud_message_template.list_all(session)}
    return [
        _template(kind, channel, own.get((kind, channel)))
        for kind in INCIDENT_KINDS
        for channel in WORDED_CHANNELS
    ]


async def template(session: ReadSession, kind: NotificationKind, channel: Channel) -> Template:
    return _template(kind, channel, await crud_message_template.get(session, kind, channel))


async def check(kind: NotificationKind, channel: Channel, wording: Wording) -> None:
    """Refuse a wording that cannot be rendered for every incident."""
    faults = await asyncio.to_thread(wordings.check, kind, channel, wording)
    if faults:
        first = faults[0]
        raise InvalidTemplateError(
            f"The wording cannot be used: {first.field}, line {first.line}: {first.message}",
            errors=[
                {"path": fault.field, "line": fault.line, "message": fault.message}
                for fault in faults
            ],
        )


async def save(
    session: WriteSession,
    kind: NotificationKind,
    channel: Channel,
    wording: Wording,
    *,
    by: User,
    now: datetime,
) -> Template:
    """Word a message in one's own way, from the next that is sent."""
    await check(kind, channel, wording)
    fields = {"subject": wording.subject, "body": wording.body}
    row = await crud_message_template.lock(session, kind, channel)
    if row is None:
        row = await crud_message_template.add(
            session,
            MessageTemplate(
                kind=kind,
                channel=channel,
                **fields,
                updated_by=by.id,
                revision=1,
                created_at=now,
                updated_at=now,
            ),
        )
    elif row.revise(fields, now=now):
        row.updated_by = by.id
    return _template(kind, channel, row)


async def reset(session: WriteSession, kind: NotificationKind, channel: Channel) -> None:
    """Go back to the built-in wording."""
    row = await crud_message_template.lock(session, kind, channel)
    if row is not None:
        await crud_message_template.remove(session, row)


async def preview(kind: NotificationKind, channel: Channel, wording: Wording) -> Rendered:
    """How this wording would read, about a believable incident."""
    await check(kind, channel, wording)
    return render_preview(kind, channel, wording)


def variables(kind: NotificationKind) -> Sequence[Variable]:
    """Everything a wording of this kind may use."""
    return wordings.variables(kind)


def _template(kind: NotificationKind, channel: Channel, own: MessageTemplate | None) -> Template:
    if own is None:
        return Template(kind, channel, render_preview(kind, channel))
    return Template(
        kind,
        channel,
        render_preview(kind, channel, Wording(own.subject, own.body)),
        is_custom=True,
        subject=own.subject,
        body=own.body,
        revision=own.revision,
        updated_at=own.updated_at,
        updated_by=own.updated_by,
    )
