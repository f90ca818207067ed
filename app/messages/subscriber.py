"""What subscribers read, over every channel. Every fact in it is public (promise 7).

Whatever is said, it ends with the way out: no message goes to the public without a link that
stops the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.notification import Channel
from app.domain.public_update import NoticeKind
from app.domain.subscriber_letter import News, PageSaid, status_in_words, subject_of
from app.messages.environment import html, plain_text
from app.messages.plain import block, counted, cut, hushed, line, zulu

LONGEST_SUBJECT = 200
LONGEST_SMS = 300
LONGEST_CHAT = 2_000
LONGEST_BODY = 10_000


@dataclass(frozen=True)
class Place:
    """Where links in a message lead, for one subscriber."""

    base: str  # of the status page, without a slash at its end
    token: str

    @property
    def unsubscribe(self) -> str:
        return f"{self.base}/status/unsubscribe/{self.token}"

    @property
    def preferences(self) -> str:
        return f"{self.base}/status/subscribe/{self.token}"

    @property
    def confirm(self) -> str:
        return f"{self.base}/status/subscribe/{self.token}/confirm"


@dataclass(frozen=True)
class Item:
    """One fact, as it stands in a message."""

    heading: str
    rows: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]
    author: str | None
    url: str


@dataclass(frozen=True)
class Said:
    """One message, in each form that a channel may want."""

    subject: str
    text: str
    html: str | None = None
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Overall:
    """How the page stands as a whole, in Statuspage's words."""

    indicator: str = "none"
    description: str = "All systems are working."


def tell(
    channel: Channel, news: Sequence[News], page: PageSaid, overall: Overall, place: Place
) -> Said:
    """One fact, or those of a day."""
    items = [_item(one, page, place) for one in news]
    name = line(page.name)
    if len(items) == 1:
        subject = cut(f"[{name}] {line(subject_of(news[0]))}", LONGEST_SUBJECT)
        lead = None
    else:
        subject = cut(f"[{name}] {counted(len(items), 'update')} since yesterday", LONGEST_SUBJECT)
        lead = f"What happened on {name} since the last summary, the oldest first."
    if channel in (Channel.SMS, Channel.CHAT):
        return Said(subject, _short(channel, subject, items, place))
    facts = {"subject": subject, "page": name, "lead": lead, "items": items, "place": place}
    data = _hook(news, page, overall, place) if channel is Channel.WEBHOOK else None
    return Said(
        subject,
        block(plain_text("subscriber", **facts)) + "\n",
        html("subscriber", **facts),
        data,
    )


def ask(channel: Channel, page: PageSaid, wants: str, place: Place) -> Said:
    """The link that proves an address: nothing else is sent before it was followed."""
    name = line(page.name)
    subject = cut(f"Confirm your subscription to {name}", LONGEST_SUBJECT)
    if channel in (Channel.SMS, Channel.CHAT):
        return Said(subject, f"{subject}: {place.confirm}")
    facts = {"subject": subject, "page": name, "wants": wants, "place": place}
    data = {
        "meta": {"unsubscribe": place.unsubscribe, "documentation": f"{place.base}/docs"},
        "page": {"id": "status", "name": name, "url": f"{place.base}/status"},
        "confirmation": {"method": "POST", "url": place.confirm},
    }
    return Said(
        subject,
        block(plain_text("subscriber_ask", **facts)) + "\n",
        html("subscriber_ask", **facts),
        data if channel is Channel.WEBHOOK else None,
    )


def _item(news: News, page: PageSaid, place: Place) -> Item:
    rows = [("Status", status_in_words(news.status))]
    if news.impact and news.impact != "none":
        rows.append(("Impact", news.impact.capitalize()))
    if news.components:
        rows.append(("Affects", ", ".join(line(name) for name in news.components)))
    if news.scheduled_for is not None and news.scheduled_until is not None:
        rows.append(("From", _local(news.scheduled_for, page)))
        rows.append(("Until", _local(news.scheduled_until, page)))
    else:
        rows.append(("When", _local(news.created_at, page)))
    body = block(cut(news.body or "", LONGEST_BODY))
    return Item(
        line(subject_of(news)),
        tuple(rows),
        tuple(part for part in body.split("\n\n") if part),
        line(news.author) if news.author else None,
        (page.url or place.base) + news.path,
    )


def _short(channel: Channel, subject: str, items: Sequence[Item], place: Place) -> str:
    """As much as fits, and always both links."""
    first = items[0]
    if len(items) > 1:
        said, url = "; ".join(item.heading for item in items), f"{place.base}/status"
    else:
        said, url = " ".join(first.paragraphs), first.url
    if channel is Channel.SMS:
        return f"{cut(line(f'{subject} – {said}'), LONGEST_SMS)} {url} Stop: {place.unsubscribe}"
    told = hushed(cut(block(said), LONGEST_CHAT))
    return f"{told}\n\n{url}\nUnsubscribe: {place.unsubscribe}"


def _local(moment: datetime, page: PageSaid) -> str:
    """On the page's wall, with its zone."""
    shown = moment.astimezone(ZoneInfo(page.time_zone))
    return f"{shown:%Y-%m-%d %H:%M} {page.time_zone}"


# --- Webhooks, in the shape of Statuspage's (WIRE 4.8) -----------------------------------


def _hook(news: Sequence[News], page: PageSaid, overall: Overall, place: Place) -> dict[str, Any]:
    told: dict[str, Any] = {
        "meta": {"unsubscribe": place.unsubscribe, "documentation": f"{place.base}/docs"},
        "page": {
            "id": "status",
            "name": line(page.name),
            "url": f"{place.base}/status",
            "status_indicator": overall.indicator,
            "status_description": overall.description,
        },
    }
    if len(news) > 1:
        return {**told, "digest": [_about(one, place) for one in news]}
    return {**told, **_about(news[0], place)}


def _about(news: News, place: Place) -> dict[str, Any]:
    if news.kind is NoticeKind.COMPONENT_STATUS_CHANGED:
        at = zulu(news.created_at)
        return {
            "component_update": {"created_at": at, "new_status": news.status},
            "component": {"name": news.title, "status": news.status, "updated_at": at},
        }
    incident: dict[str, Any] = {
        "id": news.code,
        "name": news.title,
        "status": "postmortem" if news.kind is NoticeKind.POSTMORTEM_PUBLISHED else news.status,
        "impact": "maintenance" if news.scheduled_for else news.impact,
        "shortlink": place.base + news.path,
        "updated_at": zulu(news.created_at),
        "components": [{"name": name} for name in news.components],
        "incident_updates": [
            {
                "status": news.status,
                "body": news.body,
                "incident_id": news.code,
                "created_at": zulu(news.created_at),
                "display_at": zulu(news.created_at),
            }
        ]
        if news.body
        else [],
    }
    if news.started_at is not None:
        incident["started_at"] = zulu(news.started_at)
    if news.scheduled_for is not None and news.scheduled_until is not None:
        incident["scheduled_for"] = zulu(news.scheduled_for)
        incident["scheduled_until"] = zulu(news.scheduled_until)
    return {"incident": incident}
