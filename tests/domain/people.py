"""People and their rules, as paging knows them."""

from datetime import timedelta
from typing import Any

from app.domain.notification import Channel, Recipient, Rule


def make_rule(id: int = 1, channel: Channel = Channel.EMAIL, **fields: Any) -> Rule:
    """A rule that pages at once; `after` is its delay in minutes."""
    delay = timedelta(minutes=fields.pop("after", 0))
    known: dict[str, Any] = {"contact_method_id": 100 + id, "is_verified": True, "delay": delay}
    return Rule(id=id, channel=channel, **known | fields)


def make_recipient(*rules: Rule, user_id: int = 7, name: str = "Ana", **fields: Any) -> Recipient:
    """Somebody active, in UTC, with these rules."""
    known: dict[str, Any] = {"is_active": True, "time_zone": "UTC"}
    return Recipient(user_id=user_id, name=name, rules=rules, **known | fields)
