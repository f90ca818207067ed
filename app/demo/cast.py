"""Who and what the demo is about. Everybody here is made up."""

from dataclasses import dataclass

from app.domain.demo import MADE_UP
from app.domain.incident import Severity
from app.domain.user import Role

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
PAYMENTS, PLATFORM = "Payments", "Platform"
SUN, NIGHTS = "Payments, follow the sun", "Platform"
TIDY_AFTER = 480  # minutes; then the demo’s own incidents end, before anybody real is paged


@dataclass(frozen=True)
class Person:
    name: str
    team: str | None
    role: Role = Role.RESPONDER
    is_lead: bool = False

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@{MADE_UP}"

    @property
    def time_zone(self) -> str:
        return NEW_YORK if self.team == PLATFORM else BERLIN


PEOPLE = (
    Person("Ada Lindqvist", None, Role.ADMIN),
    Person("Mara Vogel", PAYMENTS, is_lead=True),
    Person("Jonas Brandt", PAYMENTS),
    Person("Aylin Kaya", PAYMENTS),
    Person("Grace Okafor", PLATFORM, is_lead=True),
    Person("Liam Chen", PLATFORM),
    Person("Sofia Reyes", PLATFORM),
    Person("Petra Maas", None, Role.VIEWER),
)
TEAMS = {PAYMENTS: BERLIN, PLATFORM: NEW_YORK}


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong now and then, and how it is put right."""

    service: str
    title: str
    severity: Severity
    source: str
    words: str
    cure: str
    usual_minutes: int


CHECKOUT, CARDS, SEARCH, IMAGES = "checkout", "card-payments", "search", "image-resizer"
TROUBLES = (
    Trouble(CHECKOUT, "Checkout answers slowly: p99 is 4.2 s", Severity.HIGH, "prometheus",
            "The latency of POST /orders is above 2 s for 5 minutes.",
            "A missing index on orders.voucher_id; added it, p99 is back at 300 ms.", 35),
    Trouble(CHECKOUT, "5 % of checkouts fail with 502", Severity.CRITICAL, "prometheus",
            "Error budget burns 14 times too fast.",
            "The last release leaked connections. Rolled back.", 28),
    Trouble(CARDS, "Card provider times out", Severity.CRITICAL, "prometheus",
            "Authorisations take longer than 10 s.",
            "Their status page says so, too. Switched to the second provider.", 55),
    Trouble(CARDS, "Refund queue is not getting shorter", Severity.MEDIUM, "scripts",
            "12,400 refunds wait, the oldest for 3 hours.",
            "One refund could not be parsed and blocked the rest; moved it aside.", 90),
    Trouble(SEARCH, "Search index is 40 minutes behind", Severity.HIGH, "prometheus",
            "The consumer group search-indexer lags by 1.1 million messages.",
            "A node was out of disk. Grew the volume, the index has caught up.", 60),
    Trouble(SEARCH, "Disk of search-3 is 92 % full", Severity.MEDIUM, "prometheus",
            "At this rate it is full in 6 hours.", "Deleted the snapshots of last month.", 25),
    Trouble(IMAGES, "Thumbnails come late", Severity.LOW, "scripts",
            "The queue of image-resizer is longer than 5,000.",
            "A batch import; it went down by itself.", 45),
)  # fmt: skip
