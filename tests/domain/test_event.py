"""What the feed tells of what a timeline says."""

from app.domain.event import TOLD_AS, EventType
from app.domain.incident import TimelineType

PUBLIC_ONLY = {
    EventType.UPDATE_POSTED,
    EventType.POSTMORTEM_PUBLISHED,
    EventType.MAINTENANCE_CREATED,
    EventType.MAINTENANCE_UPDATED,
    EventType.MAINTENANCE_STATUS_CHANGED,
    EventType.MAINTENANCE_UPDATE_POSTED,
    EventType.MAINTENANCE_DELETED,
    EventType.COMPONENT_STATUS_CHANGED,
}


def test_every_type_of_entry_has_been_thought_of() -> None:
    assert set(TOLD_AS) == set(TimelineType)


def test_every_type_of_event_of_the_console_is_told_by_something() -> None:
    assert {kind for kind in TOLD_AS.values() if kind} == set(EventType) - PUBLIC_ONLY


def test_every_change_of_the_status_is_told_as_one() -> None:
    changes = {
        entry for entry, kind in TOLD_AS.items() if kind is EventType.INCIDENT_STATUS_CHANGED
    }
    assert changes == {
        TimelineType.ACKNOWLEDGED,
        TimelineType.RESOLVED,
        TimelineType.REOPENED,
        TimelineType.ACKNOWLEDGEMENT_EXPIRED,
    }
