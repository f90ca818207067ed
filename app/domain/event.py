"""Events: what changed, as the streams and outgoing webhooks tell it. Pure.

An event says that something happened and what it is about; whoever wants to know how things
stand now reads the thing itself. What is written on a timeline is what the feed tells:
`TOLD_AS` is the whole table, and an entry that it leaves out is one that another event of the
same transaction tells already.
"""

from enum import StrEnum

from app.domain.incident import TimelineType

RELAY = "relay"  # the loop that gives events their places
FEED = "feed"  # rung when some have got theirs
CHANGED = "changed"  # rung, with a kind of thing, when somebody changed one


def changed(resource: str) -> str:
    """What is rung once somebody has changed things of this kind."""
    return f"{CHANGED}.{resource}"


class EventType(StrEnum):
    """Every kind of event. Names are for clients: they may be added to, never renamed."""

    INCIDENT_CREATED = "incident.created"
    INCIDENT_UPDATED = "incident.updated"
    INCIDENT_STATUS_CHANGED = "incident.status_changed"
    INCIDENT_ESCALATED = "incident.escalated"
    INCIDENT_ASSIGNED = "incident.assigned"
    INCIDENT_COMMENTED = "incident.commented"
    INCIDENT_DELETED = "incident.deleted"
    # To the public only.
    UPDATE_POSTED = "incident.update_posted"
    POSTMORTEM_PUBLISHED = "postmortem.published"
    MAINTENANCE_CREATED = "maintenance.created"
    MAINTENANCE_UPDATED = "maintenance.updated"
    MAINTENANCE_STATUS_CHANGED = "maintenance.status_changed"
    MAINTENANCE_UPDATE_POSTED = "maintenance.update_posted"
    MAINTENANCE_DELETED = "maintenance.deleted"
    COMPONENT_STATUS_CHANGED = "component.status_changed"


class Audience(StrEnum):
    """Who may be told. What the public is told has a payload of its own, made for it."""

    CONSOLE = "console"
    PUBLIC = "public"


TOLD_AS: dict[TimelineType, EventType | None] = {
    TimelineType.OPENED: EventType.INCIDENT_CREATED,
    TimelineType.ACKNOWLEDGED: EventType.INCIDENT_STATUS_CHANGED,
    TimelineType.RESOLVED: EventType.INCIDENT_STATUS_CHANGED,
    TimelineType.REOPENED: EventType.INCIDENT_STATUS_CHANGED,
    TimelineType.ACKNOWLEDGEMENT_EXPIRED: EventType.INCIDENT_STATUS_CHANGED,
    TimelineType.SNOOZED: EventType.INCIDENT_UPDATED,
    TimelineType.SNOOZE_ENDED: EventType.INCIDENT_UPDATED,
    TimelineType.EDITED: EventType.INCIDENT_UPDATED,
    TimelineType.ASSIGNED: EventType.INCIDENT_ASSIGNED,
    TimelineType.UNASSIGNED: EventType.INCIDENT_ASSIGNED,
    TimelineType.COMMENTED: EventType.INCIDENT_COMMENTED,
    TimelineType.ESCALATION_STARTED: None,  # with the incident's opening or change
    TimelineType.ESCALATION_STEP: EventType.INCIDENT_ESCALATED,
    TimelineType.ESCALATION_REACHED_NOBODY: EventType.INCIDENT_ESCALATED,
    TimelineType.ESCALATION_REPEATED: EventType.INCIDENT_ESCALATED,
    TimelineType.ESCALATION_EXHAUSTED: EventType.INCIDENT_ESCALATED,
    TimelineType.ESCALATION_HURRIED: EventType.INCIDENT_ESCALATED,
    TimelineType.ESCALATED: EventType.INCIDENT_ESCALATED,
    TimelineType.ESCALATION_CANCELLED: EventType.INCIDENT_UPDATED,
    TimelineType.ESCALATION_FAULT: EventType.INCIDENT_UPDATED,
    TimelineType.NOTIFICATION_FAILED: EventType.INCIDENT_UPDATED,
    TimelineType.NOTIFICATION_RESENT: EventType.INCIDENT_UPDATED,
    TimelineType.HELD_BACK: None,  # with its opening: a storm is no time to say things twice
    TimelineType.ALERT_REPLAYED: EventType.INCIDENT_UPDATED,
    TimelineType.DRILL_ANSWERED: EventType.INCIDENT_UPDATED,
    TimelineType.PAGING_WAITS: EventType.INCIDENT_UPDATED,
    TimelineType.PAGING_BEGINS: EventType.INCIDENT_UPDATED,
    TimelineType.DELETED: EventType.INCIDENT_DELETED,
    TimelineType.RESTORED: EventType.INCIDENT_UPDATED,
    TimelineType.PUBLISHED: EventType.INCIDENT_UPDATED,
    TimelineType.PUBLIC_UPDATE: EventType.INCIDENT_UPDATED,
    TimelineType.PUBLIC_WITHDRAWN: EventType.INCIDENT_UPDATED,
    TimelineType.PUBLIC_REMINDER: EventType.INCIDENT_UPDATED,
    TimelineType.POSTMORTEM: EventType.INCIDENT_UPDATED,
}
