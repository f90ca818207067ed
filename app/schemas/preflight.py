"""Checks before the night, on the wire."""

from pydantic import Field

from app.domain.finding import Gravity
from app.schemas.base import Instant, ReadSchema


class HoleRead(ReadSchema):
    """One hole: what it is, what closes it, and where."""

    code: str = Field(
        description="For programs; docs/preflight.md has them all.", examples=["SCHEDULE_HAS_GAPS"]
    )
    place: str = Field(
        description="With the code, the same from night to night while the hole is there.",
        examples=["schedule:3"],
    )
    severity: Gravity
    message: str = Field(
        examples=["Nobody is on call by “Databases” from 2026-11-28 17:00 to 2026-11-30 08:00 UTC."]
    )
    fix: str = Field(
        examples=["Add a layer below that is always on, or an override for these times."]
    )
    link: str = Field(description="What it is about.", examples=["/v1/schedules/3"])


class FindingRead(HoleRead):
    """A hole, and since when it is known."""

    known_since: Instant | None = Field(
        description="When the nightly checks first saw it; null if they have not yet."
    )


SAVED = (
    "Only told where it was just saved: what would let a page reach nobody, of the thing itself, of"
    " whom it pages and of what pages by it, the gravest first. Null elsewhere."
)


class PreflightRead(ReadSchema):
    """What the checks find now."""

    checked_at: Instant
    last_run_at: Instant | None = Field(description="When the nightly checks last ran.")
    is_clean: bool
    findings: list[FindingRead] = Field(description="The gravest first; at most 200 of each kind.")
