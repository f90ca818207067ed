"""Whose turn it was last."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, String, bindparam, select, text

from app.db.session import ReadSession, WriteSession
from app.models import RoundRobin

NOW = bindparam("now", type_=DateTime(timezone=True))
RINGS = bindparam("rings", type_=ARRAY(String()))

# In the order of the rings, so that two who take several of the same wait for one another in turn.
_HOLD = text("""
    INSERT INTO round_robins (ring, updated_at)
    SELECT ring, :now FROM unnest(:rings) AS ring
    ON CONFLICT (ring) DO UPDATE SET updated_at = EXCLUDED.updated_at
    RETURNING ring, last_user_id
""").bindparams(NOW, RINGS)


async def hold(
    session: WriteSession, rings: Collection[str], *, now: datetime
) -> dict[str, int | None]:
    """Who had the last turn in each of these rings, which are held until commit."""
    found = await session.execute(_HOLD, {"rings": sorted(rings), "now": now})
    return dict(found.tuples().all())


async def look(session: ReadSession, rings: Collection[str]) -> dict[str, int | None]:
    """Who had the last turn in each of these rings, if anybody had one; nothing is held."""
    statement = select(RoundRobin.ring, RoundRobin.last_user_id).where(RoundRobin.ring.in_(rings))
    return dict((await session.execute(statement)).tuples().all())


_MOVE = text("""
    UPDATE round_robins r SET last_user_id = t.user_id, turns = r.turns + t.turns
    FROM unnest(:rings, :users, :counts) AS t(ring, user_id, turns) WHERE r.ring = t.ring
""").bindparams(
    RINGS,
    bindparam("users", type_=ARRAY(BigInteger())),
    bindparam("counts", type_=ARRAY(BigInteger())),
)


async def move(session: WriteSession, taken: Mapping[str, tuple[int, int]]) -> None:
    """Of each ring, who has had a turn now, and how many were taken. The caller holds them."""
    await session.execute(
        _MOVE,
        {
            "rings": list(taken),
            "users": [user for user, _ in taken.values()],
            "counts": [turns for _, turns in taken.values()],
        },
    )
