"""How often something may be tried before somebody has to wait."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Quota:
    """At most `limit` times in a window that begins with the first."""

    name: str
    limit: int
    window: timedelta
    told: str  # why nothing goes on, for whoever has to wait


RECOVERY_PER_ADDRESS = Quota(
    "recovery mails to an address", 3, timedelta(hours=1), "Too many mails to this address."
)
RECOVERY_PER_CLIENT = Quota(
    "recovery mails asked for by a client", 30, timedelta(hours=1), "Too many requests from here."
)
SIGNUP_PER_ADDRESS = Quota(
    "signup mails to an address", 3, timedelta(hours=1), "Too many mails to this address."
)
SIGNUP_PER_CLIENT = Quota(
    "signups from a client", 30, timedelta(hours=1), "Too many requests from here."
)
TOKENS_PER_CLIENT = Quota(
    "wrong links from a client", 50, timedelta(minutes=15), "Too many wrong links from here."
)
CODES_PER_METHOD = Quota(
    "codes to a contact method", 5, timedelta(hours=1), "Too many codes were sent there lately."
)
CODES_PER_USER = Quota(
    "codes sent for a user", 20, timedelta(hours=1), "Too many codes were sent for you lately."
)
TESTS_PER_USER = Quota(
    "test messages of a user", 20, timedelta(hours=1), "Too many test messages lately."
)
RESENDS_PER_USER = Quota(
    "messages a user sends again", 60, timedelta(hours=1), "Too many messages sent again lately."
)
