"""What the doors find in the application: built once by `app.main`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.config import Settings
from app.core.security import Passwords, Signer, Vault
from app.db.session import Database


class Pulse(Protocol):
    """How the worker of this process is, if it has one."""

    def is_alive(self) -> bool: ...

    def report(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Service:
    settings: Settings
    database: Database
    signer: Signer
    passwords: Passwords
    vault: Vault
    pulse: Pulse
    started: float  # by the monotonic clock
    push_public_key: str  # what a browser subscribes to
    channel_states: Callable[[], dict[str, str]]
