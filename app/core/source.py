"""Who is behind what is done just now, and from where: what the audit log writes down.

A door says it once (`declare`), and every transaction that is opened for it takes it along
(`app.db.session`). Where no door has said anything, machines are at work: alerts come in, pages
go out. They have records of their own, and the audit log none of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from app.domain.audit_log import ActorKind


@dataclass(frozen=True)
class Source:
    """Somebody, and where they called from."""

    kind: ActorKind
    name: str | None = None
    user_id: int | None = None
    api_key_id: int | None = None
    address: str | None = None
    request_id: str | None = None
    user_agent: str | None = None


_current: ContextVar[Source | None] = ContextVar("source", default=None)


def current() -> Source | None:
    return _current.get()


def declare(source: Source) -> None:
    """From here to the end of the request, it was this one."""
    _current.set(source)


def forget() -> None:
    """The request is over."""
    _current.set(None)


@contextmanager
def command(name: str) -> Iterator[None]:
    """Meanwhile, it was a command on the machine itself."""
    before = _current.set(Source(ActorKind.SYSTEM, name))
    try:
        yield
    finally:
        _current.reset(before)
