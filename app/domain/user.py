"""Who may do what: roles, permissions and the matrix between them."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"  # everything
    RESPONDER = "responder"  # works on incidents
    VIEWER = "viewer"  # looks


class Permission(StrEnum):
    READ = "read"
    RESPOND = "respond"  # declare and work on incidents
    ADMINISTER = "administer"  # users, policies, integrations


GRANTS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.RESPONDER: frozenset({Permission.READ, Permission.RESPOND}),
    Role.VIEWER: frozenset({Permission.READ}),
}


def may(role: Role, permission: Permission) -> bool:
    return permission in GRANTS[role]


@dataclass(frozen=True)
class Actor:
    """Who is doing something: a person, or (without an id) Tocsin or a tool."""

    name: str
    user_id: int | None = None


TOCSIN = Actor(name="Tocsin")
