"""Teams and who is in them."""

from typing import Annotated

from pydantic import AfterValidator, AliasPath, Field

from app.domain.team import MOST_MEMBERS
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, Key, LongText, Name, TimeZone


class TeamCreate(WriteSchema):
    name: Name = Field(description="No two differ in their capitals alone.", examples=["Payments"])
    description: LongText | None = None
    time_zone: TimeZone | None = Field(None, description="Where most of the team works.")


class TeamUpdate(WriteSchema):
    """Only the named fields are written."""

    name: Name | None = Field(None, examples=["Payments"])
    description: LongText | None = None
    time_zone: TimeZone | None = None

    _kept = not_null("name")


class TeamRead(ReadSchema):
    id: int
    name: str
    description: str | None
    time_zone: str | None
    revision: int = Field(description="Every change of the team or of who is in it raises it.")
    created_at: Instant
    updated_at: Instant


class MemberWrite(WriteSchema):
    """Somebody who shall be in the team."""

    user_id: Key = Field(examples=[1])
    is_lead: Flag = Field(
        default=False, description="Leads look after the team and what it owns, as admins do."
    )


def _distinct(members: list[MemberWrite]) -> list[MemberWrite]:
    if len({member.user_id for member in members}) < len(members):
        raise ValueError("names somebody twice")
    return members


class MembersWrite(WriteSchema):
    """Everybody who shall be in the team; whoever is left out is in it no longer."""

    members: Annotated[list[MemberWrite], AfterValidator(_distinct)] = Field(
        max_length=MOST_MEMBERS, examples=[[{"user_id": 1, "is_lead": True}]]
    )


class MemberRead(ReadSchema):
    user_id: int
    name: str = Field(validation_alias=AliasPath("user", "display_name"), examples=["Ana Díaz"])
    is_lead: bool
    is_active: bool = Field(
        validation_alias=AliasPath("user", "is_active"),
        description="Whoever is deactivated stays in the team and is paged by nothing.",
    )
    is_deleted: bool = Field(description="The account is closed; the name stays.")
    created_at: Instant = Field(description="Since when they are in the team.")


class RosterRead(ReadSchema):
    """Everybody in a team."""

    items: list[MemberRead]
    revision: int = Field(description="The team’s.")
