"""Heartbeat monitors: who must be heard of, how often, and at which secret address.

The address is all that a ping needs, so its token is kept as a hash and shown once. What is
changed here holds the monitor's row: a ping that comes meanwhile waits, and counts by the new
spans.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import ConflictError, NotFoundError
from app.core.security import PING_PREFIX, hash_key, new_ping_token
from app.crud import crud_heartbeat_monitor
from app.db.session import ReadSession, WriteSession
from app.domain.user import Actor
from app.models import HeartbeatMonitor


class HeartbeatNameTakenError(ConflictError):
    """Another monitor has this name."""

    code = "HEARTBEAT_NAME_TAKEN"


@dataclass(frozen=True)
class NewAddress:
    """A monitor, and the token of its address as it is shown once."""

    monitor: HeartbeatMonitor
    token: str = field(repr=False)


async def require(session: ReadSession, monitor_id: int) -> HeartbeatMonitor:
    return _there(await crud_heartbeat_monitor.get(session, monitor_id), monitor_id)


async def create(
    session: WriteSession, fields: Mapping[str, Any], *, actor: Actor, now: datetime
) -> NewAddress:
    """A monitor that waits for its first ping."""
    await _require_free_name(session, fields["name"], None)
    token = new_ping_token()
    monitor = HeartbeatMonitor(
        **fields,
        token_hash=hash_key(token),
        hint=_hint(token),
        created_by=actor.user_id,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    await crud_heartbeat_monitor.add(session, monitor)
    return NewAddress(monitor, token)


async def update(
    session: WriteSession, monitor_id: int, fields: Mapping[str, Any], *, now: datetime
) -> HeartbeatMonitor:
    """Write the named fields. Nobody is down at once for having been given less time: what is
    expected sooner than now is expected now, and has its grace."""
    monitor = await _held(session, monitor_id)
    if "name" in fields:
        await _require_free_name(session, fields["name"], monitor_id)
    was = monitor.revise(fields, now=now)
    if "is_active" in was:
        monitor.expect(now + monitor.interval, now)
    elif "interval_seconds" in was and monitor.expected_at is not None:
        heard_at = monitor.expected_at - timedelta(seconds=was["interval_seconds"])
        monitor.expect(max(heard_at + monitor.interval, now), now)
    elif "grace_seconds" in was and monitor.expected_at is not None:
        monitor.expect(monitor.expected_at, now)
    return monitor


async def rotate(session: WriteSession, monitor_id: int, *, now: datetime) -> NewAddress:
    """Give a monitor another address. The one before is worth nothing at once."""
    monitor = await _held(session, monitor_id)
    token = new_ping_token()
    monitor.revise({"token_hash": hash_key(token), "hint": _hint(token)}, now=now)
    return NewAddress(monitor, token)


async def remove(session: WriteSession, monitor_id: int) -> None:
    """Forget a monitor. An incident that it opened stays with the people who have it."""
    await crud_heartbeat_monitor.remove(session, await _held(session, monitor_id))


def _hint(token: str) -> str:
    return token[: len(PING_PREFIX) + 4]


async def _held(session: WriteSession, monitor_id: int) -> HeartbeatMonitor:
    return _there(await crud_heartbeat_monitor.lock(session, monitor_id), monitor_id)


def _there(found: HeartbeatMonitor | None, monitor_id: int) -> HeartbeatMonitor:
    if found is None:
        raise NotFoundError("heartbeat", monitor_id)
    return found


async def _require_free_name(session: WriteSession, name: str, own_id: int | None) -> None:
    other = await crud_heartbeat_monitor.by_name(session, name)
    if other is not None and other.id != own_id:
        raise HeartbeatNameTakenError("There is a heartbeat with this name already.", field="name")
