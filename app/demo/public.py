"""What the public of the demo sees: components, what was published of the bad days, a maintenance
that is planned, and one postmortem.

The page's clock never goes back, so its four weeks are told in their order, on a page that begins
before them. A page that somebody else has made is left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from app.crud import crud_demo
from app.demo.cast import CARDS, CHECKOUT, IMAGES, PEOPLE, SEARCH, Trouble
from app.demo.scene import Scene
from app.domain.incident import Severity
from app.domain.public_incident import Impact
from app.domain.public_update import UpdateStatus
from app.domain.status_component import ComponentStatus
from app.domain.user import Actor
from app.services import (
    action_item,
    postmortem_public,
    public_incident,
    public_maintenance,
    status_page,
)
from app.services import postmortem as postmortem_service
from app.services import status_component as status_component_service
from app.services.public_incident import Publication, Said
from app.services.public_maintenance import Announcement
from app.services.public_update import NewUpdate

PAGE = "status_page"
COMPONENT, GROUP, MAINTENANCE = "component", "component_group", "public_maintenance"
SHOP = "Shop"
NAMES = {CHECKOUT: "Checkout", CARDS: "Card payments", SEARCH: "Search", IMAGES: "Product images"}
DESCRIPTIONS = {CARDS: "Visa, Mastercard and direct debit.", SEARCH: "Finding things in the shop."}
OLD = timedelta(days=95)  # the page: its bars have ninety days
EVERY = 3  # of the bad days, on which the public was told


@dataclass(frozen=True)
class Told:
    """How a trouble is put to the public, which never reads what responders wrote."""

    title: str
    status: ComponentStatus
    impact: Impact
    first: str
    known: str
    over: str


WORDS: Mapping[str, Told] = {
    "Checkout answers slowly: p99 is 4.2 s": Told(
        "Checkout is slow", ComponentStatus.DEGRADED_PERFORMANCE, Impact.MINOR,
        "Placing an order takes several seconds. We are looking into it.",
        "We know the cause and are putting it right. **Orders go through**, only slowly.",
        "Orders are placed as quickly as before.",
    ),
    "5 % of checkouts fail with 502": Told(
        "Some orders cannot be placed", ComponentStatus.PARTIAL_OUTAGE, Impact.MAJOR,
        "About one order in twenty fails. We are looking into it.",
        "A change of this morning is the cause. We are taking it back.",
        "Every order goes through again. *If yours failed, nothing was charged.*",
    ),
    "Card provider times out": Told(
        "Card payments fail", ComponentStatus.MAJOR_OUTAGE, Impact.CRITICAL,
        "Card payments are not answered. Direct debit works.",
        "Our provider has an outage. We are moving card payments to a second one.",
        "Card payments work again.",
    ),
    "Search index is 40 minutes behind": Told(
        "Search shows old results", ComponentStatus.DEGRADED_PERFORMANCE, Impact.MINOR,
        "What was added in the last hour is not found yet. We are looking into it.",
        "One of our servers ran out of disk. Search is catching up.",
        "Search is up to date again.",
    ),
}  # fmt: skip


@dataclass
class Public:
    """The public side of a scene; closed where the page is somebody else's."""

    scene: Scene
    is_open: bool
    components: dict[str, int] = field(default_factory=dict)  # by service

    @property
    def since(self) -> datetime:
        """When the page began."""
        return self.scene.now - OLD

    async def build(self) -> None:
        """The page and what is on it, from before anything happened."""
        self.is_open = self.is_open and await crud_demo.begin_page(
            self.scene.session, at=self.since
        )
        if not self.is_open:
            return
        scene = self.scene
        await crud_demo.mark(scene.session, PAGE, PAGE, 1)
        settings = {
            "name": "Example Shop",
            "description": "How the shop is doing, and what we do about it when it is not.",
            "time_zone": "Europe/Berlin",
        }
        await status_page.update(scene.session, settings, now=self.since)
        group = await scene.ensure(GROUP, SHOP, self._group)
        for position, (service, name) in enumerate(NAMES.items()):
            of_shop = service in (CHECKOUT, CARDS)
            make = partial(self._component, service, position, group if of_shop else None)
            self.components[service] = await scene.ensure(COMPONENT, name, make)

    async def _group(self) -> int:
        fields = {"name": SHOP, "description": None, "position": 0}
        made = await status_component_service.create_group(
            self.scene.session, fields, now=self.since
        )
        return made.id

    async def _component(self, service: str, position: int, group: int | None) -> int:
        fields = {
            "name": NAMES[service],
            "description": DESCRIPTIONS.get(service),
            "group_id": group,
            "position": position,
            "status": ComponentStatus.OPERATIONAL,
            "service_id": self.scene.of("service", service),
        }
        made = await status_component_service.create(self.scene.session, fields, now=self.since)
        return made.id

    def is_told(self, trouble: Trouble, at: datetime) -> bool:
        """Whether the public was told of this one."""
        is_bad = trouble.severity in (Severity.CRITICAL, Severity.HIGH)
        return self.is_open and is_bad and trouble.title in WORDS and at.day % EVERY == 0

    async def begin(
        self, number: int, trouble: Trouble, *, tells: bool, actor: Actor, now: datetime
    ) -> None:
        """Publish an incident; what goes on now is told to subscribers, too."""
        words = WORDS[trouble.title]
        new = Publication(
            words.title,
            NewUpdate(words.first, UpdateStatus.INVESTIGATING, notifies=tells),
            Said({self.components[trouble.service]: words.status}, words.impact),
        )
        await public_incident.publish(self.scene.session, number, new, actor=actor, now=now)

    async def go_on(
        self, number: int, trouble: Trouble, *, tells: bool, actor: Actor, now: datetime
    ) -> None:
        """Say that the cause is known."""
        update = NewUpdate(WORDS[trouble.title].known, UpdateStatus.IDENTIFIED, notifies=tells)
        session = self.scene.session
        await public_incident.post(session, number, update, Said(), actor=actor, now=now)

    async def end(self, number: int, trouble: Trouble, *, actor: Actor, now: datetime) -> None:
        """Say that it is over, which resolves the incident."""
        body = WORDS[trouble.title].over
        await public_incident.resolve(
            self.scene.session, number, body, notifies=False, actor=actor, now=now
        )

    async def plan(self) -> None:
        """Announce a maintenance of the day after tomorrow."""
        if not self.is_open:
            return
        scene = self.scene
        begins = scene.now.replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=2)
        new = Announcement(
            {
                "title": "New disks for product images",
                "scheduled_for": begins,
                "scheduled_until": begins + timedelta(hours=2),
            },
            [self.components[IMAGES]],
            NewUpdate("Pictures may load slowly while we move them.", notifies=False),
        )
        by = scene.of("user", PEOPLE[0].name)
        made = await public_maintenance.announce(scene.session, new, by=by, now=scene.now)
        await crud_demo.mark(scene.session, MAINTENANCE, str(made.id), made.id)

    async def learn(self, number: int, trouble: Trouble) -> None:
        """Publish what was learned of an incident that is over, for everybody to read."""
        scene = self.scene
        author = await scene.person(PEOPLE[1].name)
        fields = {
            "summary": trouble.cure,
            "root_cause": "A change that looked harmless was not tried under load.",
            "public_summary": f"{WORDS[trouble.title].title}, and what we change so that it does"
            " not come back.",
            "public_body": "## What happened\n\nA change of ours did more than it should have."
            "\n\n## What we change\n\n- Every such change is tried under load first.\n"
            "- We are told within a minute when orders fail, and not within five.\n",
        }
        made = await postmortem_service.start(
            scene.session, number, fields, by=author, now=scene.now
        )
        promise = {
            "title": "Try every change of checkout under load",
            "owner_id": author.id,
            "due_on": (scene.now + timedelta(days=5)).date(),
        }
        await action_item.create(scene.session, made.id, promise, by=author, now=scene.now)
        await postmortem_public.publish(
            scene.session,
            number,
            is_public=True,
            tell_subscribers=False,
            by=author,
            now=scene.now,
        )
