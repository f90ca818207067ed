"""How a person is reached: addresses as they are given, and whether the rules reach anybody."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from app.domain.chat import read_chat_url
from app.domain.incident import Severity, Urgency
from app.domain.notification import Channel, Page, Recipient, Rule, fan_out
from app.domain.push import read_subscription

MOST_METHODS = 20
MOST_RULES = 50

Given = str | Mapping[str, Any]

_AROUND_DIGITS = re.compile(r"[\s().\-/\u2010-\u2013]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Address:
    """Where messages go. `secret` is what that needs besides; it is kept apart, encrypted."""

    channel: Channel
    text: str
    secret: str | None = field(default=None, repr=False)
    own_host: bool = False  # whoever gave it chose which host Tocsin calls
    proves_itself: bool = False  # nobody could give it who is not reached there

    def is_same(self, other: str) -> bool:
        if self.channel is Channel.EMAIL:
            return self.text.lower() == other.lower()
        return self.text == other


def secret_place(user_id: int, channel: Channel, address: str) -> str:
    """Where a contact method's secret belongs: it can be unlocked for no other one."""
    return f"contact method {user_id} {channel} {address}"


def read_address(channel: Channel, given: Given) -> Address:
    """The address that somebody gave; ValueError with a sentence if it is none."""
    match channel, given:
        case Channel.SMS, str():
            return Address(channel, read_phone(given))
        case Channel.CHAT, str():
            chat = read_chat_url(given)
            return Address(channel, chat.label, chat.url, own_host=chat.own_host)
        case Channel.PUSH, Mapping():
            subscription = read_subscription(given)
            return Address(channel, subscription.endpoint, subscription.keys, proves_itself=True)
        case ((Channel.EMAIL | Channel.WEBHOOK), str()):
            return Address(channel, given)
    raise TypeError(f"{channel} has no such address")


def read_phone(text: str) -> str:
    """A phone number in E.164, however it was spaced."""
    if "(0)" in text:
        raise ValueError("Leave out the (0): it is not dialled after the country code.")
    number = _AROUND_DIGITS.sub("", text)
    if not _E164.fullmatch(number):
        raise ValueError(
            "Write the phone number with + and its country code, such as +49 30 1234567."
        )
    return number


def doubts(recipient: Recipient, *, unconfigured: Collection[Channel] = ()) -> list[str]:
    """What may keep pages from reaching a person, a sentence each; none if nothing does.

    It rehearses with `fan_out`, so it cannot believe in a page that would not be sent.
    """
    if not recipient.is_active:
        return [f"{recipient.name} is deactivated and is not paged."]
    found = [
        sentence
        for number, rule in enumerate(recipient.rules, 1)
        for sentence in _of_rule(number, rule, recipient, unconfigured)
    ]
    in_use = replace(
        recipient,
        time_zone="UTC",  # any will do: quiet hours overlap on the same clock
        rules=[rule for rule in recipient.rules if rule.channel not in unconfigured],
    )
    reached = [urgency for urgency in Urgency if _pages(in_use, Severity.CRITICAL, urgency)]
    if not reached:
        return [_unreachable(recipient), *found]
    unheard = [
        f"{recipient.name} is not paged for incidents of {urgency} urgency: no rule that can be"
        " used is for them. Add one, or leave the urgency out."
        for urgency in Urgency
        if urgency not in reached
    ]
    return [*found, *unheard, *_of_all(in_use, reached[0])]


def _unreachable(recipient: Recipient) -> str:
    if not recipient.rules:
        return (
            f"Nobody can page {recipient.name}: there is no rule. Add one for a verified"
            " contact method."
        )
    return f"Nobody can page {recipient.name}: no rule can be used as it stands."


def _of_rule(
    number: int, rule: Rule, recipient: Recipient, unconfigured: Collection[Channel]
) -> Iterator[str]:
    if rule.channel in unconfigured:
        yield (
            f"Rule {number} pages nobody: {rule.channel} is not set up in this installation."
            " An admin can set it up."
        )
    if rule.channel in recipient.switched_off:
        yield f"Rule {number} pages nobody while {rule.channel} is switched off."
    if not rule.is_verified:
        yield (
            f"Rule {number} pages nobody until its contact method for {rule.channel} is verified."
            " Enter the code that was sent to it, or send a new one."
        )


def _of_all(in_use: Recipient, urgency: Urgency) -> Iterator[str]:
    """Of the rules for one urgency, the higher one that reaches anybody."""
    name = in_use.name
    wait = min(page.due_at for page in _pages(in_use, Severity.CRITICAL, urgency)) - _ANY_DAY
    if wait > timedelta():
        yield f"Nothing pages {name} at once: the first page comes {_minutes(wait)} later."
    missed = [severity for severity in Severity if not _pages(in_use, severity, urgency)]
    if missed:
        yield (
            f"{name} is not paged for {' or '.join(missed)} incidents: every rule asks for worse."
        )
    quiet = _all_quiet_at(in_use, urgency)
    if quiet is not None:
        yield (
            f"At {quiet:%H:%M} all rules of {name} are in their quiet hours; only critical"
            " incidents page then, the others wait."
        )


def _all_quiet_at(in_use: Recipient, urgency: Urgency) -> datetime | None:
    """A time at which every rule is quiet, if there is one: then it begins with some rule's."""
    at_once = replace(in_use, rules=[replace(rule, delay=timedelta()) for rule in in_use.rules])
    for rule in at_once.rules:
        if rule.quiet_from is None:
            continue
        moment = datetime.combine(_ANY_DAY, rule.quiet_from, UTC)
        pages = _pages(at_once, Severity.HIGH, urgency, moment)
        if pages and all(page.due_at > moment for page in pages):
            return moment
    return None


def _pages(
    recipient: Recipient, severity: Severity, urgency: Urgency, at: datetime = _ANY_DAY
) -> list[Page]:
    pages, _ = fan_out(recipient, channels=(), severity=severity, urgency=urgency, due_at=at)
    return pages


def _minutes(span: timedelta) -> str:
    minutes = span / timedelta(minutes=1)
    return "1 minute" if minutes == 1 else f"{minutes:g} minutes"


def on_record(channel: Channel, address: str) -> str:
    """What everybody may see of where a message went.

    Of a URL that is its host alone: whoever has the rest of it may often write there.
    """
    if channel not in (Channel.WEBHOOK, Channel.PUSH):
        return address
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
