"""Events: what changed, as the streams and outgoing webhooks tell it. Pure.

An event says that something happened and what it is about; whoever wants to know how things
stand now reads the thing itself.
"""

from enum import StrEnum

from app.domain.incident import TimelineType


class EventType(StrEnum):
    """Every kind of event. Names are for clients: they may be added to, never renamed."""

    INCIDENT_CREATED = "incident.created"
    INCIDENT_UPDATED = "incident.updated"
    INCIDENT_STATUS_CHANGED = "incident.status_changed"
    INCIDENT_ESCALATED = "incident.escalated"
    INCIDENT_ASSIGNED = "incident.assigned"
    INCIDENT_COMMENTED = "incident.commented"
    INCIDENT_DELETED = "incident.deleted"
    # To the public only; with the status page come more.
    UPDATE_POSTED = "incident.update_posted"
    POSTMORTEM_PUBLISHED = "postmortem.published"


class Audience(StrEnum):
    """Who may be told. What the public is told has a payload of its own, made for it."""

    CONSOLE = "console"
    PUBLIC = "public"
