"""What a postmortem is and how it may change; what its document says. Pure.

A draft goes to review, from there back or out to everybody inside; what is published stays so and
is amended in place, each state of it kept. Whether the public reads anything is another question:
it has a text of its own (promise 7), written for it and published by choice.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

MOST_PICKED = 200  # entries of a timeline
MOST_REVIEWERS = 20


class PostmortemStatus(StrEnum):
    DRAFT = "draft"  # somebody writes it
    IN_REVIEW = "in_review"  # others read it
    PUBLISHED = "published"  # everybody inside may rely on it; changes are amendments


class PostmortemAction(StrEnum):
    SUBMIT = "submit"
    RETURN = "return"
    PUBLISH = "publish"


TRANSITIONS: dict[tuple[PostmortemStatus, PostmortemAction], PostmortemStatus] = {
    (PostmortemStatus.DRAFT, PostmortemAction.SUBMIT): PostmortemStatus.IN_REVIEW,
    (PostmortemStatus.DRAFT, PostmortemAction.PUBLISH): PostmortemStatus.PUBLISHED,
    (PostmortemStatus.IN_REVIEW, PostmortemAction.RETURN): PostmortemStatus.DRAFT,
    (PostmortemStatus.IN_REVIEW, PostmortemAction.PUBLISH): PostmortemStatus.PUBLISHED,
}


def allowed(status: PostmortemStatus) -> list[PostmortemAction]:
    """What may be done in a status, in the order in which it usually is."""
    return [action for action in PostmortemAction if (status, action) in TRANSITIONS]


# In the order in which they are read.
SECTIONS: dict[str, str] = {
    "summary": "Summary",
    "impact": "Impact",
    "root_cause": "Root cause",
    "went_well": "What went well",
    "went_badly": "What went badly",
    "lessons": "What we learned",
}

BUILT_IN: dict[str, str] = {
    "summary": "{{ service }} had an incident of {{ severity }} severity, from {{ opened_at }}"
    " until {{ resolved_at }} ({{ duration }}).",
    "impact": "",
    "root_cause": "",
    "went_well": "",
    "went_badly": "",
    "lessons": "",
}
# What a template may name, and what it stands for.
PLACES: dict[str, str] = {
    "title": "The incident's title",
    "service": "The service that it names",
    "severity": "Its severity",
    "opened_at": "When it was opened, in UTC",
    "resolved_at": "When it was resolved, in UTC; “now” while it is not",
    "duration": "How long it lasted; so far, while it is not resolved",
}
_PLACE = re.compile(r"\{\{ *([a-z_]+) *\}\}")


def unknown_places(text: str) -> list[str]:
    """What a template names that stands for nothing."""
    return [name for name in _PLACE.findall(text) if name not in PLACES]


def filled(text: str, facts: Mapping[str, str]) -> str:
    """A template with what its places stand for; what is no place stays as it is written."""
    return _PLACE.sub(lambda found: facts.get(found[1], found[0]), text)


def clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def lasted(span: timedelta) -> str:
    """`2 h 5 min`, in two units at most; what is less than a minute is one."""
    minutes = max(int(span.total_seconds()) // 60, 1)
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (left, "min")]
    return " ".join([f"{count} {unit}" for count, unit in parts if count][:2])
