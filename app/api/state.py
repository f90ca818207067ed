"""What the doors find in the application: built once by `app.main`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from app.api.feed import Feed
from app.api.intake import Intake
from app.api.limits import Limits
from app.api.pings import Pings
from app.api.public_copy import PublicCopies
from app.api.public_picture import PublicPicture
from app.api.watch import Watch
from app.core.config import Settings
from app.core.metrics import Metrics
from app.core.security import Passwords, Signer, Vault
from app.db.session import Database
from app.domain.storm import ServiceLimit
from app.domain.webhook import Heard, Hook
from app.services.target import Objection


class Pulse(Protocol):
    """How the worker of this process is, if it has one."""

    def is_alive(self) -> bool: ...

    def report(self) -> dict[str, Any]:
        """Each loop: whether it is alive, and for how long it has not turned."""
        ...

    def providers(self) -> dict[str, Any]:
        """By channel: the providers behind it, and whether they answer."""
        ...

    def overdue(self) -> dict[str, int] | None:
        """What the auditor found when it last looked; None where nobody audits."""
        ...

    def heartbeat(self) -> dict[str, Any] | None:
        """How the last call of the monitor went; None where nobody calls one."""
        ...


class NoLoops:
    """The pulse of a process that runs no loops: they turn elsewhere."""

    def is_alive(self) -> bool:
        return True

    def report(self) -> dict[str, Any]:
        return {}

    def providers(self) -> dict[str, Any]:
        return {}

    def overdue(self) -> dict[str, int] | None:
        return None

    def heartbeat(self) -> dict[str, Any] | None:
        return None


@dataclass(frozen=True)
class Service:
    settings: Settings
    database: Database
    signer: Signer
    passwords: Passwords
    vault: Vault
    pulse: Pulse
    metrics: Metrics
    watch: Watch
    started: float  # by the monotonic clock
    limits: Limits
    push_public_key: str  # what a browser subscribes to
    channel_states: Callable[[], dict[str, str]]
    objection: Objection  # to calling a URL that somebody gives
    send_hook: Callable[[Hook], Awaitable[Heard]]  # to a subscription's endpoint, at once

    @property
    def service_limit(self) -> ServiceLimit:
        """How many incidents a storm may open one by one."""
        return self.settings.storm_limit

    @cached_property
    def feed(self) -> Feed:
        """All who listen to streams of this process."""
        return Feed(self.database, most=self.settings.streams_at_once)

    @cached_property
    def public_picture(self) -> PublicPicture:
        """What everybody sees, as it was last drawn in this process."""
        return PublicPicture()

    @cached_property
    def public_copies(self) -> PublicCopies:
        """The same in JSON."""
        address = self.settings.public_url or ""
        return PublicCopies(self.database, self.public_picture, address)

    @cached_property
    def intake(self) -> Intake:
        """The way in for alerts, one for the process."""
        return Intake(self.database, self.service_limit)

    @cached_property
    def pings(self) -> Pings:
        """The way in for pings, one for the process."""
        return Pings(self.database, self.service_limit, self.metrics)
