"""What a person was told lately, and the pages that are held or told with others because of it.

Whoever calls this has the lock under which `crud_outbox` leases that person's pages, so what
is counted stays true until they commit.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, String, bindparam, text, update

from app.db.session import ReadSession, WriteSession
from app.domain.bundle import BUNDLE_EVERY, Hold, PageLimit, Stream, Told, stream_of
from app.domain.lease import Leased
from app.domain.notification import Channel
from app.models import Notification

TIME, KEYS = DateTime(timezone=True), ARRAY(BigInteger())
MOST_HELD = 1000  # in one statement

# Both counts are short scans of the index of what was paged lately. What is critical counts
# everywhere, and is counted with nothing lower.
_TOLD = """
    n.kind = 'page' AND n.user_id = p.user_id AND n.channel = :channel AND n.id <> ALL(:these)
    AND n.status IN ('sending', 'sent', 'delivered', 'suppressed')
    AND (n.is_critical OR NOT p.is_critical)
"""
_TOLD_LATELY = text(
    """
    SELECT p.user_id, p.contact_method_id, p.is_critical,
        (SELECT count(*) FROM (
            SELECT 1 FROM notifications n WHERE n.claimed_at > :since AND {told} LIMIT :pages
        ) counted),
        (SELECT max(n.claimed_at) FROM notifications n WHERE n.claimed_at > :lately
            AND n.contact_method_id = p.contact_method_id AND {told})
    FROM unnest(:users, :methods, :urgencies) AS p(user_id, contact_method_id, is_critical)
    """.replace("{told}", _TOLD)
).bindparams(
    *(bindparam(name, type_=TIME) for name in ("since", "lately")),
    *(bindparam(name, type_=KEYS) for name in ("users", "methods", "these")),
    bindparam("urgencies", type_=ARRAY(Boolean())),
    bindparam("channel", type_=String()),
    bindparam("pages", type_=BigInteger()),
)


async def told_lately(
    session: ReadSession,
    channel: Channel,
    leased: Collection[Leased],
    limit: PageLimit,
    *,
    now: datetime,
) -> dict[Stream, Told]:
    """What the people of these pages were told besides them, counted no further than it matters."""
    streams = {stream_of(page) for page in leased}
    parameters = {
        "channel": channel,
        "users": [stream.user_id for stream in streams],
        "methods": [stream.contact_method_id for stream in streams],
        "urgencies": [stream.is_critical for stream in streams],
        "these": [page.id for page in leased],
        "since": now - limit.window,
        "lately": now - BUNDLE_EVERY,
        "pages": limit.pages,
    }
    found = await session.execute(_TOLD_LATELY, parameters)
    return {Stream(*stream): Told(pages, at) for *stream, pages, at in found}


_GIVE_BACK = text("""
    UPDATE notifications n SET status = 'pending', ready_at = :until, held_until = :until,
        claimed_at = b.claimed_at, attempts = n.attempts - 1, updated_at = :now
    FROM unnest(:ids, :claimed) AS b(id, claimed_at) WHERE n.id = b.id
""").bindparams(
    *(bindparam(name, type_=TIME) for name in ("now", "until")),
    bindparam("ids", type_=KEYS),
    bindparam("claimed", type_=ARRAY(TIME)),
)
# All at once, or a storm of pages to one person would be leased and given back one by one.
_HOLD_REST = text("""
    WITH rest AS MATERIALIZED (
        SELECT n.id FROM notifications n
        WHERE n.channel = :channel AND n.is_critical = :is_critical AND n.ready_at <= :now
            AND n.status = 'pending' AND n.kind = 'page' AND n.user_id = :user_id
            AND n.contact_method_id = :contact_method_id AND n.held_until IS NULL
        ORDER BY n.ready_at, n.id
        LIMIT :limit
        FOR NO KEY UPDATE OF n SKIP LOCKED
    )
    UPDATE notifications n SET ready_at = :until, held_until = :until, updated_at = :now
    FROM rest WHERE rest.id = n.id
""").bindparams(
    *(bindparam(name, type_=TIME) for name in ("now", "until")),
    *(bindparam(n, type_=BigInteger()) for n in ("user_id", "contact_method_id", "limit")),
    bindparam("is_critical", type_=Boolean()),
    bindparam("channel", type_=String()),
)


async def hold(session: WriteSession, channel: Channel, hold: Hold, *, now: datetime) -> None:
    """Give pages back unsent, until then, with all that are due to the same address."""
    times = {"now": now, "until": hold.until}
    ids = [page.id for page in hold.pages]
    claimed = [page.before.claimed_at for page in hold.pages]
    await session.execute(_GIVE_BACK, {"ids": ids, "claimed": claimed, **times})
    rest = {"channel": channel, "limit": MOST_HELD, **hold.stream._asdict()}
    await session.execute(_HOLD_REST, rest | times)


async def follow(session: WriteSession, followers: Collection[int], leader: int) -> None:
    """These leased pages are told by that one's message."""
    await session.execute(
        update(Notification)
        .where(Notification.id.in_(followers))
        .values(bundled_into=leader)
        .execution_options(synchronize_session=False)
    )
