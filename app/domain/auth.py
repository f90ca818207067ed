"""How people prove who they are, and how that ends."""

from datetime import datetime, timedelta
from enum import StrEnum


class ChallengePurpose(StrEnum):
    """What somebody can do who answers a challenge that was sent to an address."""

    SIGNUP = "signup"  # make the account they asked for
    RECOVERY = "recovery"  # set a new password
    CONTACT_METHOD = "contact_method"  # be paged there


CHALLENGE_LIFE: dict[ChallengePurpose, timedelta] = {
    ChallengePurpose.SIGNUP: timedelta(hours=24),
    ChallengePurpose.RECOVERY: timedelta(minutes=30),
    ChallengePurpose.CONTACT_METHOD: timedelta(minutes=15),
}
# A code has a million values: nobody gets to try many.
MOST_WRONG_CODES = 5

# A browser's login goes on while it is used, but no longer than this many times as long as one
# that nobody uses.
BROWSER_LIVES = 3
USE_NOTED_EVERY = timedelta(minutes=5)


def browser_expiry(begun_at: datetime, life: timedelta, now: datetime) -> datetime:
    """Until when a browser's login that is used now is good."""
    return min(now + life, begun_at + BROWSER_LIVES * life)


class SessionEnd(StrEnum):
    """Why a login is over."""

    LOGOUT = "logout"
    REUSE = "reuse"  # a refresh token came twice: one of the two who hold it stole it
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # a reason, no password
    DEACTIVATED = "deactivated"
