"""Pictures of a status page, made up: a bad day, a good one, and one with everything awkward."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from app.domain.public_page import (
    ComponentDay,
    ComponentPicture,
    GroupPicture,
    HistoryDay,
    IncidentPicture,
    Level,
    MaintenancePicture,
    PageFacts,
    PublicLink,
    PublicPage,
    PublicPostmortem,
    UpdatePicture,
    worst,
)

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
TODAY = NOW.date()
DAYS = 90


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def update(number: int, status: str, body: str, at: datetime, **more: object) -> UpdatePicture:
    return UpdatePicture(number, status, body, at, **more)  # type: ignore[arg-type]


def component(
    number: int,
    name: str,
    status: str = "operational",
    *,
    bad: dict[int, tuple[str, int, str]] | None = None,
    new_for: int = DAYS,
    description: str | None = None,
) -> ComponentPicture:
    """A component; `bad` says of how many days ago: the status, its minutes, and the incident."""
    days: list[ComponentDay] = []
    for back in reversed(range(DAYS)):
        on: date = TODAY - timedelta(days=back)
        if back >= new_for:
            days.append(ComponentDay(on, None))
        elif bad and back in bad:
            worst_one, minutes, title = bad[back]
            links = (PublicLink("inc_" + str(back), title),) if title else ()
            days.append(ComponentDay(on, worst_one, ((worst_one, minutes),), links))
        else:
            days.append(ComponentDay(on, "operational"))
    down = sum(minutes for one, minutes, _ in (bad or {}).values() if one == "major_outage")
    uptime = 100 - 100 * down / (DAYS * 24 * 60)
    return ComponentPicture(number, name, description, status, tuple(days), uptime)


CHECKOUT = IncidentPicture(
    code="inc_8fGk2",
    title="Checkout fails for some customers",
    status="identified",
    impact="major",
    started_at=ago(minutes=52),
    resolved_at=None,
    updated_at=ago(minutes=12),
    components=("Checkout", "Card payments"),
    updates=(
        update(
            2,
            "identified",
            "One of our card providers answers slowly. We **move payments to the second**;"
            " see [their status](https://status.example.org).",
            ago(minutes=12),
        ),
        update(1, "investigating", "About 5 % of payments fail. We are looking.", ago(minutes=49)),
    ),
    next_update_due_at=NOW + timedelta(minutes=18),
)
SEARCH = IncidentPicture(
    code="inc_2mLq9",
    title="Search results were 40 minutes old",
    status="resolved",
    impact="minor",
    started_at=ago(days=3, hours=5),
    resolved_at=ago(days=3, hours=3, minutes=40),
    updated_at=ago(days=3, hours=3, minutes=40),
    components=("Search",),
    updates=(
        update(
            5,
            "resolved",
            "The index has caught up.",
            ago(days=3, hours=3, minutes=40),
            edited_at=ago(days=3, hours=3),
        ),
        update(4, "monitoring", "The index is catching up.", ago(days=3, hours=4)),
        update(3, "investigating", "Search shows old results.", ago(days=3, hours=5)),
    ),
    postmortem=PublicPostmortem(
        "A full disk held the index back.",
        "## What we change\n\n- Alerts at 80 %\n- Room for a month",
        ago(days=1),
    ),
)
DISKS = MaintenancePicture(
    code="mnt_77aQ",
    title="New disks for the image servers",
    status="scheduled",
    scheduled_for=NOW + timedelta(days=2),
    scheduled_until=NOW + timedelta(days=2, hours=3),
    updated_at=ago(days=1),
    components=("Images",),
    updates=(update(9, "scheduled", "Images may load slowly.", ago(days=1)),),
)


def bad_day() -> PublicPage:
    """Something is wrong, something is planned, something is over."""
    shop = (
        component(
            1,
            "Checkout",
            "partial_outage",
            bad={
                0: ("partial_outage", 52, "Checkout fails for some customers"),
                41: ("major_outage", 34, "Checkout was down"),
                60: ("under_maintenance", 120, ""),
            },
        ),
        component(
            2,
            "Card payments",
            "degraded_performance",
            bad={0: ("degraded_performance", 52, "Checkout fails for some customers")},
            description="Visa, Mastercard and direct debit.",
        ),
    )
    rest = (
        component(
            3,
            "Search",
            bad={3: ("degraded_performance", 80, "Search results were 40 minutes old")},
        ),
        component(4, "Images", new_for=25),
        component(5, "API"),
    )
    groups = tuple(
        GroupPicture(name, None, worst(one.status for one in parts), parts)
        for name, parts in (("Shop", shop), (None, rest))
    )
    return PublicPage(
        page=PageFacts(
            name="Example Shop Status",
            url="https://status.example.org/status",
            description="How the shop and everything behind it is doing.",
            support_url="https://example.org/help",
            time_zone="Europe/Berlin",
            updated_at=ago(minutes=12),
        ),
        level=Level.MAJOR,
        headline="Checkout is partly down.",
        groups=groups,
        incidents=(CHECKOUT,),
        maintenances=(DISKS,),
        history=tuple(
            HistoryDay(TODAY - timedelta(days=back), {0: (CHECKOUT,), 3: (SEARCH,)}.get(back, ()))
            for back in range(14)
        ),
        checked_at=NOW,
        revision="7",
    )


def good_day() -> PublicPage:
    """All is well, and has been."""
    rest = tuple(component(n, name) for n, name in enumerate(("Shop", "API", "Mail"), start=1))
    return replace(
        bad_day(),
        level=Level.NONE,
        headline="All systems are working.",
        groups=(GroupPicture(None, None, "operational", rest),),
        incidents=(),
        maintenances=(),
        history=tuple(HistoryDay(TODAY - timedelta(days=back), ()) for back in range(14)),
    )


def empty() -> PublicPage:
    """Nobody has put anything on the page yet."""
    return replace(good_day(), groups=(), page=replace(good_day().page, description=None))


NASTY = "<script>alert(1)</script>“ & \x00\x0b\u202e ]]> " + "W" * 200 + " 🚨 مرحبا"


def awkward() -> PublicPage:
    """Every text that somebody may write for the public is as unfriendly as can be."""
    told = update(1, "investigating", NASTY, ago(minutes=5), author=NASTY)
    incident = replace(CHECKOUT, title=NASTY, components=(NASTY,), updates=(told,))
    work = replace(DISKS, title=NASTY, status="in_progress", updates=(told,), components=(NASTY,))
    part = replace(component(1, NASTY, "major_outage", bad={2: ("major_outage", 9, NASTY)}))
    page = bad_day()
    return replace(
        page,
        page=replace(page.page, name=NASTY, description=NASTY),
        level=Level.CRITICAL,
        headline=NASTY,
        groups=(GroupPicture(NASTY, NASTY, "major_outage", (replace(part, description=NASTY),)),),
        incidents=(incident,),
        maintenances=(work,),
        history=(HistoryDay(TODAY, (incident,), (work,)),),
    )
