"""API keys: what one may be limited to, and how it is told from any other secret at a glance.

A key is `toc_`, forty letters and digits by chance (238 bits), and eight digits that check them:
a scanner finds one in a leaked file without asking anybody, and a mistyped one is refused
without asking the database.
"""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from app.domain.user import GRANTS, Permission, Role

PREFIX = "toc_"  # Tocsin API key
CHANCE = 40  # characters
HINT = len(PREFIX) + 4
MOST_KEYS = 20  # live ones, of one person
USE_NOTED_EVERY = timedelta(minutes=1)

_LOOKS = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{CHANCE}}}[0-9a-f]{{8}}")
# What includes what: nobody works on incidents that they cannot read.
_INCLUDES: dict[Permission, frozenset[Permission]] = {
    Permission.READ: frozenset({Permission.READ}),
    Permission.RESPOND: frozenset({Permission.READ, Permission.RESPOND}),
    Permission.ADMINISTER: frozenset(Permission),
}


@dataclass(frozen=True)
class KeyInUse:
    """The key that a caller brought, and what it is limited to."""

    id: int
    scopes: frozenset[Permission]


def sealed(chance: str) -> str:
    """The key that these characters make."""
    body = PREFIX + chance
    return f"{body}{zlib.crc32(body.encode()):08x}"


def is_ours(secret: str) -> bool:
    """Whether it looks like a key of ours, to the last digit."""
    return _LOOKS.fullmatch(secret) is not None and sealed(secret[len(PREFIX) : -8]) == secret


def whole(scopes: Iterable[Permission]) -> list[Permission]:
    """These scopes with what they include, in the order of what they allow."""
    wanted = frozenset[Permission]().union(*(_INCLUDES[scope] for scope in scopes))
    return [permission for permission in Permission if permission in wanted]


def beyond(scopes: Iterable[Permission], role: Role) -> list[Permission]:
    """What of these a role may not do itself."""
    return [permission for permission in whole(scopes) if permission not in GRANTS[role]]
