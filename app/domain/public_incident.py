"""How an incident stands for the public, which is not how it stands for responders. Pure.

Only what was published has a public status. `TRANSITIONS` is the whole law: an update may keep
the status or take one of those that follow it; whatever is not in the table is refused.
"""

from enum import StrEnum


class PublicStatus(StrEnum):
    INVESTIGATING = "investigating"  # something is wrong; we do not know yet what
    IDENTIFIED = "identified"  # we know what it is
    MONITORING = "monitoring"  # we have mended it and watch
    RESOLVED = "resolved"  # it is over


TRANSITIONS: dict[PublicStatus, tuple[PublicStatus, ...]] = {
    PublicStatus.INVESTIGATING: (
        PublicStatus.IDENTIFIED,
        PublicStatus.MONITORING,
        PublicStatus.RESOLVED,
    ),
    PublicStatus.IDENTIFIED: (PublicStatus.MONITORING, PublicStatus.RESOLVED),
    PublicStatus.MONITORING: (PublicStatus.RESOLVED,),
    PublicStatus.RESOLVED: (PublicStatus.INVESTIGATING,),  # reopened
}


class Impact(StrEnum):
    """How much of it the public feels. Declared from mildest to worst."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


def may_become(status: PublicStatus, wanted: PublicStatus) -> bool:
    """Whether an update may say so; saying the same again is always allowed."""
    return wanted is status or wanted in TRANSITIONS[status]
