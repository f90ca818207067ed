"""What figures are counted from: two durations in each incident's row, and an index that holds
all that is counted of those that are over.

An incident enters the index when it is resolved, so an alert that opens one pays nothing for it;
and it leaves with a reopening or a deletion, so no figure is ever older than the last commit.
What is unresolved is little, and counted from its rows.
"""

from sqlalchemy import BigInteger, Column, Computed, Index, Integer, text

from app.models.incident import INCIDENTS
from app.models.notification import Notification

# What is over and counts; what is asked for must say the same, word for word.
COUNTED = "status = 'resolved' AND deleted_at IS NULL AND NOT is_drill"


def _seconds_until(moment: str) -> Computed:
    return Computed(f"EXTRACT(epoch FROM {moment} - created_at)::integer", persisted=True)


# The older columns speak for what was acknowledged before there were the newer ones.
INCIDENTS.append_column(
    Column(
        "seconds_to_acknowledge",
        Integer,
        _seconds_until("coalesce(first_acknowledged_at, acknowledged_at)"),
    )
)
INCIDENTS.append_column(Column("seconds_to_resolve", Integer, _seconds_until("resolved_at")))
INCIDENTS.append_column(
    Column(
        "answered_by",
        BigInteger,
        Computed("coalesce(first_acknowledged_by, acknowledged_by)", persisted=True),
    )
)
Index(
    "ix_incidents_figures",
    INCIDENTS.c.created_at,
    postgresql_include=[
        "service",
        "severity_rank",
        "seconds_to_acknowledge",
        "seconds_to_resolve",
        "answered_by",
        "resolved_by",
    ],
    postgresql_where=text(COUNTED),
)

NOTIFICATIONS = Notification.metadata.tables["notifications"]
# Written once, when a page is sent.
Index(
    "ix_notifications_figures",
    NOTIFICATIONS.c.sent_at,
    postgresql_include=["user_id", "incident_id"],
    postgresql_where=text("kind = 'page' AND sent_at IS NOT NULL"),
)
