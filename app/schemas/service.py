"""Services: who owns them, and how their incidents are met."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.domain.incident import Severity, Urgency
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.on_call import NextRead
from app.schemas.preflight import SAVED, HoleRead
from app.schemas.rota import MOST_RESTRICTIONS, RestrictionWrite
from app.schemas.types import Flag, Key, LongText, NumberOnly, ServiceName, TimeZone

LONGEST_SILENCE = 30 * 24 * 60
NAME_HELP = (
    "Incidents that name it letter for letter are its own. No two differ in their capitals alone."
)
EXAMPLE_HOURS = {
    "time_zone": "Europe/Berlin",
    "hours": [{"since": "09:00", "until": "17:00", "days": ["mon", "tue", "wed", "thu", "fri"]}],
}
EXAMPLE_URGENCY = {"medium": "low", "low": "low"}
URGENCY_HELP = (
    "By severity: `high` pages at any hour, `low` waits for the support hours. What is not named"
    " is high, and what is critical is so always."
)
PINNED_HELP = (
    "This policy starts besides every one whose conditions hold, when an incident opens or comes"
    " to this service; null: as conditions say."
)
SILENCE_HELP = (
    "Resolve an incident that alerts opened once none has come for so long; null: never by itself."
)
ANSWERED_HELP = "Also when somebody has acknowledged or snoozed it."


def _critical_is_high(urgency: dict[Severity, Urgency]) -> dict[Severity, Urgency]:
    if urgency.get(Severity.CRITICAL) is Urgency.LOW:
        raise ValueError("cannot make critical low: what is critical pages at any hour")
    return urgency


def _worst_first(urgency: dict[Severity, Urgency]) -> dict[Severity, Urgency]:
    # The database keeps an order of its own; what is the same shall read the same.
    return dict(sorted(urgency.items(), key=lambda said: said[0].rank))


UrgencyBySeverity = Annotated[
    dict[Severity, Urgency],
    AfterValidator(_critical_is_high),
    AfterValidator(_worst_first),
    Field(description=URGENCY_HELP, examples=[EXAMPLE_URGENCY]),
]
AutoResolve = Annotated[
    int, Field(ge=1, le=LONGEST_SILENCE, description=SILENCE_HELP, examples=[1440]), NumberOnly
]


class SupportHoursWrite(WriteSchema):
    """Hours of the day on days of the week, on the clock of one time zone."""

    time_zone: TimeZone
    hours: list[RestrictionWrite] = Field(
        min_length=1,
        max_length=MOST_RESTRICTIONS,
        description="Up to an earlier or the same hour: into the next day.",
        examples=[EXAMPLE_HOURS["hours"]],
    )


class HoursRead(ReadSchema):
    since: str = Field(examples=["09:00"])
    until: str = Field(examples=["17:00"])
    days: list[str] = Field(examples=[["mon", "tue"]])


class SupportHoursRead(ReadSchema):
    time_zone: str = Field(examples=["Europe/Berlin"])
    hours: list[HoursRead]


class ServiceCreate(WriteSchema):
    name: ServiceName = Field(description=NAME_HELP, examples=["checkout"])
    description: LongText | None = None
    team_id: Key | None = Field(None, description="Who owns it.", examples=[None])
    policy_id: Key | None = Field(None, description=PINNED_HELP, examples=[None])
    schedule_id: Key | None = Field(
        None, description="Who is on call for it: what the target `on_call` means.", examples=[None]
    )
    urgency: UrgencyBySeverity = Field({})
    support_hours: SupportHoursWrite | None = None
    auto_resolve_after_minutes: AutoResolve | None = None
    auto_resolve_acknowledged: Flag = Field(default=False, description=ANSWERED_HELP)


class ServiceUpdate(WriteSchema):
    """Only the named fields are written; urgency and support hours are replaced as a whole."""

    name: ServiceName | None = Field(
        None,
        description=f"{NAME_HELP} Incidents keep the name that they were opened with.",
        examples=["checkout"],
    )
    description: LongText | None = None
    team_id: Key | None = Field(None, examples=[None])
    policy_id: Key | None = Field(None, description=PINNED_HELP, examples=[None])
    schedule_id: Key | None = Field(None, examples=[None])
    urgency: UrgencyBySeverity | None = None
    support_hours: SupportHoursWrite | None = None
    auto_resolve_after_minutes: AutoResolve | None = None
    auto_resolve_acknowledged: Flag | None = Field(None, description=ANSWERED_HELP)

    _kept = not_null("name", "urgency", "auto_resolve_acknowledged")


class ServiceRead(ReadSchema):
    id: int
    name: str
    description: str | None
    team_id: int | None
    policy_id: int | None = Field(description=PINNED_HELP)
    schedule_id: int | None
    urgency: Annotated[dict[Severity, Urgency], AfterValidator(_worst_first)] = Field(
        description=URGENCY_HELP, examples=[EXAMPLE_URGENCY]
    )
    support_hours: SupportHoursRead | None
    auto_resolve_after_minutes: int | None = Field(description=SILENCE_HELP)
    auto_resolve_acknowledged: bool = Field(description=ANSWERED_HELP)
    revision: int
    created_at: Instant
    updated_at: Instant
    findings: list[HoleRead] | None = Field(None, description=SAVED)


class UnresolvedRead(ReadSchema):
    """How many incidents of a service are not resolved, by severity."""

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    total: int = Field(description="Counted up to 10,000.")
    total_is_bound: bool = Field(description="True when there are more than `total` says.")


class ServiceStandingRead(ServiceRead):
    """A service, and how it stands just now."""

    unresolved: UnresolvedRead
    in_maintenance_until: Instant | None = Field(
        description="When the maintenance that is on ends; null: there is none."
    )


class UncataloguedRead(ReadSchema):
    """A service that incidents name and that nobody has catalogued."""

    name: str = Field(examples=["checkout"])
    last_incident_at: Instant
    spelled: str | None = Field(
        description="A catalogued service whose name differs in its capitals alone: probably this"
        " one is meant, and what it says does not count for these incidents.",
        examples=["Checkout"],
    )


class UncataloguedListRead(ReadSchema):
    items: list[UncataloguedRead] = Field(description="Those of the last 30 days, latest first.")
    is_whole: bool = Field(
        description="False when there are more names than this looks through, or shows."
    )


class OnCallPersonRead(ReadSchema):
    user_id: int
    name: str = Field(examples=["Ana Díaz"])


class ServiceOnCallRead(ReadSchema):
    """Who is on call for a service at an instant."""

    at: Instant
    schedule_id: int | None = Field(description="Null: the service has no schedule.")
    people: list[OnCallPersonRead] = Field(description="Empty when nobody is on call.")
    next: NextRead | None = Field(
        description="Who follows. Null without a schedule, and if nobody else is on call for as"
        " long as was looked."
    )
