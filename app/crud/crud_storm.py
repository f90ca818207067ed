"""How many incidents a service has opened lately."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, String, bindparam, text

from app.db.session import ReadSession

# The newest of a service are the last in its index, so that what is read of a service is what
# is counted, however many it ever had. Numbers are not quite in the order of time: what a
# slower transaction opened may be missed, never counted twice.
_LATELY = text("""
    SELECT s.service, (
        SELECT count(*) FROM (
            SELECT i.created_at FROM incidents i
            WHERE i.service = s.service AND i.id <> ALL(:these) AND NOT i.is_drill
            ORDER BY i.id DESC
            LIMIT :most
        ) newest
        WHERE newest.created_at > :since
    )
    FROM unnest(:services) AS s(service)
""").bindparams(
    bindparam("services", type_=ARRAY(String())),
    bindparam("these", type_=ARRAY(BigInteger())),
    bindparam("since", type_=DateTime(timezone=True)),
    bindparam("most", type_=BigInteger()),
)


async def opened_lately(
    session: ReadSession,
    services: Collection[str],
    *,
    besides: Collection[int],
    since: datetime,
    most: int,
) -> dict[str, int]:
    """How many incidents each of these services opened since then, drills and `besides` left
    out, and counted no further than `most`."""
    parameters = {
        "services": sorted(services),
        "these": list(besides),
        "since": since,
        "most": most,
    }
    return dict((await session.execute(_LATELY, parameters)).tuples().all())
