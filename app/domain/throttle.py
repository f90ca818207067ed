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
LOGIN_WINDOW = timedelta(minutes=15)


def login_quotas(per_account: int, per_client: int) -> tuple[Quota, Quota]:
    """How many wrong passwords an account takes, and how many a client may send."""
    told = "Too many wrong passwords."
    return (
        Quota("wrong passwords of an account", per_account, LOGIN_WINDOW, told),
        Quota("wrong passwords from a client", per_client, LOGIN_WINDOW, told),
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
SUBSCRIBING_PER_ADDRESS = Quota(
    "confirmations sent to an address", 3, timedelta(hours=1), "Too many messages to this address."
)
SUBSCRIBING_PER_CLIENT = Quota(
    "subscriptions asked for by a client", 30, timedelta(hours=1), "Too many requests from here."
)
