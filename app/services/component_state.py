"""How components are: as bad as the worst of what speaks for them, with the history of it.

Whoever changes what speaks for a component (what was set by hand, an incident, a maintenance)
settles it in the same transaction, holding the page.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.crud import crud_status_component
from app.db.session import WriteSession
from app.domain.event import EventType
from app.domain.status_component import ComponentStatus, worst
from app.models import StatusComponent
from app.schemas.event import PublicNews
from app.services import event as event_service


@dataclass(frozen=True)
class Change:
    """A component that became better or worse."""

    component: StatusComponent
    before: ComponentStatus

    def told(self) -> dict[str, str | int]:
        """As an update keeps it."""
        return {
            "id": self.component.id,
            "name": self.component.name,
            "before": self.before.value,
            "after": self.component.status.value,
        }


async def settle(
    session: WriteSession, component_ids: Collection[int], *, now: datetime
) -> Sequence[Change]:
    """Give these components the status that they have by now; what has changed."""
    if not component_ids:
        return []
    components = await crud_status_component.by_ids(session, component_ids)
    voices = {key: [component.set_status] for key, component in components.items()}
    for key, status in await crud_status_component.incident_effects(session, voices):
        voices[key].append(status)
    for key in await crud_status_component.maintained(session, voices):
        voices[key].append(ComponentStatus.UNDER_MAINTENANCE)
    changes = []
    for key, component in components.items():
        becomes = worst(voices[key])
        if becomes is not component.status:
            changes.append(Change(component, component.status))
            component.status = becomes
            component.touch(now)
    await _write_history(session, changes, now=now)
    for change in changes:
        await _tell(session, change, now=now)
    return changes


async def end(session: WriteSession, component: StatusComponent, *, now: datetime) -> None:
    """End the history of a component that is no more."""
    spells = await crud_status_component.current_spells(session, [component.id])
    for spell in spells.values():
        if spell.starts_at < now:
            spell.ends_at = now


async def _write_history(
    session: WriteSession, changes: Collection[Change], *, now: datetime
) -> None:
    ids = [change.component.id for change in changes]
    spells = await crud_status_component.current_spells(session, ids)
    for change in changes:
        spell = spells.get(change.component.id)
        if spell is not None and spell.starts_at >= now:  # twice at the same instant
            spell.status = change.component.status
            continue
        if spell is not None:
            spell.ends_at = now
        await crud_status_component.begin_spell(
            session, change.component.id, change.component.status, now=now
        )


async def _tell(session: WriteSession, change: Change, *, now: datetime) -> None:
    news = PublicNews(
        type=EventType.COMPONENT_STATUS_CHANGED,
        public_id=str(change.component.id),
        title=change.component.name,
        status=change.component.status,
        body=None,
        components=[change.component.name],
    )
    await event_service.publish(session, news, now=now)
