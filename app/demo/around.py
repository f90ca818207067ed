"""What stands around the incidents: holidays, fields, templates, a webhook, subscribers, summaries.

Nothing here ever calls anybody: the calendar is a file, whoever subscribes is made up, and the
webhook is switched off, with a past that is made up as well.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from app.crud import crud_webhook_delivery
from app.crud.crud_subscriber import Scopes
from app.db.session import WriteSession
from app.demo.cast import BERLIN, CARDS, CHECKOUT, PEOPLE
from app.demo.scene import Scene
from app.domain.calendar import CalendarKind
from app.domain.custom_field import FieldType
from app.domain.demo import MADE_UP
from app.domain.digest import DigestFrequency
from app.domain.event import EventType
from app.domain.incident import Severity
from app.domain.notification import Channel
from app.domain.subscriber import Cadence, SubscriberState, read_address
from app.domain.webhook import DeliveryStatus
from app.models import User
from app.services import calendar as calendar_service
from app.services import custom_field as custom_field_service
from app.services import digest as digest_service
from app.services import incident_template as incident_template_service
from app.services import subscriber as subscriber_service
from app.services import subscriber_import as import_service
from app.services import webhook as webhook_service
from app.services.subscriber_keys import Wishes

CALENDAR, TEMPLATE, FIELD, HOOK = "calendar", "incident_template", "custom_field", "webhook"
SUBSCRIBER, FILE, DIGEST = "subscriber", "subscriber_import", "digest"
HOLIDAYS = "Holidays in Berlin"
DAYS_OFF = (
    ("0101", "New Year"),
    ("0308", "International Women’s Day"),
    ("0501", "Labour Day"),
    ("1003", "German Unity Day"),
    ("1225", "Christmas Day"),
    ("1226", "Second day of Christmas"),
)
DESK = "Ticket desk (demo)"
REGIONS = ("eu-central", "us-east")
FIELDS: tuple[Mapping[str, Any], ...] = (
    {
        "key": "region",
        "label": "Region",
        "type": FieldType.SELECT,
        "options": list(REGIONS),
        "description": "Where it was seen.",
        "position": 0,
    },
    {
        "key": "customers_affected",
        "label": "Customers affected",
        "type": FieldType.NUMBER,
        "options": [],
        "description": "About how many; a guess is better than nothing.",
        "position": 1,
    },
)
TEMPLATES: tuple[Mapping[str, Any], ...] = (
    {
        "name": "Orders cannot be placed",
        "title": "Customers cannot place orders",
        "description": "What do they see, since when, and how many of them?",
        "severity": Severity.CRITICAL,
        "service": CHECKOUT,
        "tags": ["orders"],
        "checklist": "- [ ] Was anything released in the last hour? Take it back first.\n"
        "- [ ] Do payments go through?\n- [ ] Tell support what to say.\n"
        "- [ ] Tell the public within 15 minutes.",
        "public_text": "Some orders cannot be placed. We are looking into it.",
        "is_active": True,
    },
    {
        "name": "Payment provider is down",
        "title": "A payment provider does not answer",
        "description": "Which one, and what does their status page say?",
        "severity": Severity.HIGH,
        "service": CARDS,
        "tags": ["provider"],
        "checklist": "- [ ] Read the provider’s status page.\n"
        "- [ ] Switch to the second provider.\n- [ ] Look for payments that were made twice.",
        "public_text": "Card payments are delayed. We are moving them to another provider.",
        "is_active": True,
    },
    {
        "name": "Suspicious logins",
        "title": "Many logins fail from few addresses",
        "description": None,
        "severity": Severity.HIGH,
        "service": None,
        "tags": ["security"],
        "checklist": "- [ ] Block the addresses.\n- [ ] Tell whoever was logged in to.",
        "public_text": None,
        "is_active": False,
    },
)
READERS = ("support", "press", "partners", "warehouse", "franchise", "old-shop")
LINES = """address,frequency,components
anna.berg@{at},immediate,
store-berlin@{at},immediate,Checkout;Card payments
store-hamburg@{at},daily,Checkout;Card payments
store-munich@{at},daily,Card payments
newsroom.{at},immediate,
it@{at},hourly,
ops-partner@{at},immediate,Search
callcentre@{at},immediate,Telephone
returns@{at},daily,
anna.berg@{at},immediate,
"""


async def build(scene: Scene) -> None:
    """What has to be there before schedules are made and incidents are told."""
    director = await scene.person(PEOPLE[0].name)
    await scene.ensure(CALENDAR, HOLIDAYS, partial(_holidays, scene, director))
    for field in FIELDS:
        await scene.ensure(FIELD, field["key"], partial(_field, scene, field))
    for template in TEMPLATES:
        await scene.ensure(TEMPLATE, template["name"], partial(_template, scene, template))
    for name, wanted in (
        (PEOPLE[0].name, {"frequency": DigestFrequency.DAILY, "even_when_empty": True}),
        (PEOPLE[1].name, {"frequency": DigestFrequency.WEEKLY}),
    ):
        await scene.ensure(DIGEST, name, partial(_digest, scene, name, wanted))


async def _holidays(scene: Scene, by: User) -> int:
    events = [
        f"BEGIN:VEVENT\r\nUID:{day}@{MADE_UP}\r\nDTSTAMP:20260101T000000Z\r\n"
        f"DTSTART;VALUE=DATE:2026{day}\r\nSUMMARY:{name}\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n"
        for day, name in DAYS_OFF
    ]
    head = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//{MADE_UP}//EN\r\n"
    fields = {
        "name": HOLIDAYS,
        "kind": CalendarKind.HOLIDAYS,
        "time_zone": BERLIN,
        "ical": f"{head}{''.join(events)}END:VCALENDAR\r\n",
    }
    made = await calendar_service.create(scene.session, fields, _nothing, by=by, now=scene.now)
    return made.id


def _nothing(_: str) -> None:
    """No objection to what the demo would call: there is nothing."""


async def _field(scene: Scene, field: Mapping[str, Any]) -> int:
    return (await custom_field_service.create(scene.session, field, now=scene.since)).id


async def _template(scene: Scene, template: Mapping[str, Any]) -> int:
    made = await incident_template_service.create(scene.session, template, now=scene.since)
    return made.id


async def _digest(scene: Scene, name: str, wanted: Mapping[str, Any]) -> int:
    key = scene.of("user", name)
    await digest_service.wish(scene.session, key, wanted, now=scene.now)
    return key


# --- Who of the public is told ------------------------------------------------------------


async def subscribe(scene: Scene, components: Mapping[str, int]) -> None:
    """Subscribers in every state there is, before anything is published; and a file of them,
    which the loop takes in, with lines that are wrong."""
    director = await scene.person(PEOPLE[0].name)
    for number, name in enumerate(READERS):
        address = f"{name}@{MADE_UP}"
        make = partial(_subscriber, scene, address, number, components, director)
        await scene.ensure(SUBSCRIBER, address, make)
    await scene.ensure(FILE, "shops.csv", partial(_file, scene, director))


async def _subscriber(
    scene: Scene, address: str, number: int, components: Mapping[str, int], by: User
) -> int:
    chosen = [one for service, one in components.items() if service in (CHECKOUT, CARDS)]
    some = Scopes(tuple(chosen))
    wishes = (Wishes(), Wishes(is_for_everything=False, scopes=some, frequency=Cadence.DAILY))
    at = scene.since + timedelta(days=number)
    made = await subscriber_service.add(
        scene.session,
        read_address(Channel.EMAIL, address),
        wishes[number % 2],
        scene.seals,
        have_agreed=True,
        by=by,
        now=at,
    )
    left_at = at + timedelta(days=2)
    match number:
        case 4:
            why = "550 5.1.1 There is no such mailbox here."
            gone = {"bounced_at": left_at, "bounce_reason": why}
            made.revise({"state": SubscriberState.BOUNCING, **gone}, now=left_at)
        case 5:
            gone = {"unsubscribed_at": left_at}
            made.revise({"state": SubscriberState.UNSUBSCRIBED, **gone}, now=left_at)
    return made.id


async def _file(scene: Scene, by: User) -> int:
    content = LINES.format(at=MADE_UP).encode()
    made = await import_service.start(
        scene.session, "shops.csv", content, have_agreed=True, by=by, now=scene.now
    )
    return made.id


# --- The webhook --------------------------------------------------------------------------


async def hook(scene: Scene, incidents: Sequence[tuple[int, str, datetime]]) -> None:
    """A webhook with a past: what it was told of these incidents before it was switched off."""
    director = await scene.person(PEOPLE[0].name)
    await scene.ensure(HOOK, DESK, partial(_hook, scene, incidents, director))


async def _hook(scene: Scene, incidents: Sequence[tuple[int, str, datetime]], by: User) -> int:
    fields = {
        "name": DESK,
        "url": f"https://desk.{MADE_UP}/hooks/tocsin",
        "event_types": [EventType.INCIDENT_CREATED, EventType.INCIDENT_STATUS_CHANGED],
        "services": [],
        "severities": [Severity.CRITICAL, Severity.HIGH],
        "is_active": False,
    }
    vault = scene.seals.vault
    made, _ = await webhook_service.create(
        scene.session, fields, vault, _nothing, by=by, now=scene.since
    )
    await _tell(scene.session, made.id, incidents)
    return made.id


async def _tell(
    session: WriteSession, hook_id: int, incidents: Sequence[tuple[int, str, datetime]]
) -> None:
    rows = []
    for number, (incident, service, at) in enumerate(incidents):
        is_lost = number % 7 == 6
        gone = "Gave up after 10 attempts: 503 Service Unavailable from desk." + MADE_UP
        rows.append(
            {
                "uid": uuid4(),
                "subscription_id": hook_id,
                "event_id": incident,
                "type": EventType.INCIDENT_CREATED,
                "data": {"incident_id": incident, "service": service},
                "occurred_at": at,
                "created_at": at,
                "status": DeliveryStatus.FAILED if is_lost else DeliveryStatus.DELIVERED,
                "settled_at": at + (timedelta(days=3) if is_lost else timedelta(seconds=1)),
                "attempts": 10 if is_lost else 1,
                "response_code": 503 if is_lost else 204,
                "last_error": gone if is_lost else None,
            }
        )
    await crud_webhook_delivery.promise(session, rows)
