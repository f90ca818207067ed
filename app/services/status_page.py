"""The status page: its settings, and the lock of whatever the public sees.

Locking: whoever changes what the public sees holds the incident first, if it is about one, and
then the page's row, and nothing else after it. So public changes come one after the other, each
sees what the one before left, and there is no order to get wrong. The page's clock never goes
back: who waited for the row acts no earlier than who held it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.crud import crud_status_page
from app.db.session import WriteSession, wake_after_commit
from app.models import StatusPage

LOOP = "public_page"  # which begins and ends maintenances, and reminds people


async def hold(session: WriteSession, *, now: datetime) -> StatusPage:
    """Hold the page until commit, for a change of what it shows. `changed_at` is its time."""
    page = await crud_status_page.lock(session)
    page.version += 1
    page.changed_at = max(now, page.changed_at)
    wake_after_commit(session, LOOP)
    return page


async def update(session: WriteSession, fields: Mapping[str, Any], *, now: datetime) -> StatusPage:
    """Write the named settings."""
    page = await hold(session, now=now)
    page.revise(fields, now=page.changed_at)
    return page
