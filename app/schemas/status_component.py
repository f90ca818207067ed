"""Components of the status page and their groups, as those who look after them see them."""

from typing import Annotated

from pydantic import Field

from app.domain.status_component import ComponentStatus
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, Key, LongText, Name, NumberOnly

LAST_PLACE = 100_000
Position = Annotated[
    int,
    Field(
        ge=0,
        le=LAST_PLACE,
        description="Where it stands: lower ones come first.",
        examples=[0],
    ),
    NumberOnly,
]


class ComponentGroupCreate(WriteSchema):
    name: Name = Field(examples=["Shop"])
    description: LongText | None = None
    position: Position = 0


class ComponentGroupUpdate(WriteSchema):
    """Only the named fields are written."""

    name: Name | None = Field(None, examples=["Shop"])
    description: LongText | None = None
    position: Position | None = None

    _kept = not_null("name", "position")


class ComponentGroupRead(ReadSchema):
    id: int
    name: str
    description: str | None
    position: int
    revision: int
    created_at: Instant
    updated_at: Instant


class StatusComponentCreate(WriteSchema):
    name: Name = Field(examples=["Checkout"])
    description: LongText | None = Field(None, examples=["Paying for what is in the basket."])
    group_id: Key | None = Field(None, description="Left out: in none.", examples=[None])
    position: Position = 0
    status: ComponentStatus = ComponentStatus.OPERATIONAL
    only_show_if_degraded: Flag = Field(
        default=False, description="Not on the page while it is well.", examples=[False]
    )
    shows_uptime: Flag = Field(default=True, description="With its 90 days.", examples=[True])
    service_id: Key | None = Field(
        None,
        description="The catalogued service behind it. The public never learns of it.",
        examples=[None],
    )


class StatusComponentUpdate(WriteSchema):
    """Only the named fields are written."""

    name: Name | None = Field(None, examples=["Checkout"])
    description: LongText | None = None
    group_id: Key | None = Field(None, examples=[None])
    position: Position | None = None
    status: ComponentStatus | None = Field(
        None,
        description="By hand. What public incidents and maintenances say stays; the worst shows.",
        examples=["degraded_performance"],
    )
    only_show_if_degraded: Flag | None = Field(None, examples=[False])
    shows_uptime: Flag | None = Field(None, examples=[True])
    service_id: Key | None = Field(None, examples=[None])

    _kept = not_null("name", "position", "status", "only_show_if_degraded", "shows_uptime")


class StatusComponentRead(ReadSchema):
    id: int
    name: str
    description: str | None
    group_id: int | None
    position: int
    status: ComponentStatus = Field(
        description="What is shown: the worst of `set_status` and of what public incidents and"
        " maintenances say."
    )
    set_status: ComponentStatus = Field(description="What somebody set by hand.")
    only_show_if_degraded: bool
    shows_uptime: bool
    service_id: int | None
    revision: int
    created_at: Instant
    updated_at: Instant
