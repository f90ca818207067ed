"""Whose time an event of a calendar file is, and what it is called. Pure."""

import re

from app.domain.ical import Component, Line

MOST_PEOPLE = 10  # of one event
LONGEST_TEXT = 255
READ_TEXT = 2_000  # of a description, in search of a mail address
MAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}")
NO_PERSON = {"ROOM", "RESOURCE"}
GROUP_CALENDAR = "@group.calendar.google.com"  # a calendar's own address, which is nobody's


def text_of(event: Component, name: str) -> str:
    """Text on one line, as far as it can be shown."""
    line = event.first(name)
    if line is None:
        return ""
    words = line.text[:READ_TEXT].split()
    return "".join(one for one in " ".join(words) if one.isprintable())


def people_of(event: Component) -> list[str | None]:
    """The mail addresses of those whose time it is: of its guests who did not decline; else one
    in its title, else one in its description, else of whoever made it."""
    guests = [_address(line) for line in event.all("ATTENDEE") if _comes(line)]
    found = list(dict.fromkeys(mail for mail in guests if mail))
    for name in ("SUMMARY", "DESCRIPTION"):
        if not found:
            found = list(dict.fromkeys(MAIL.findall(text_of(event, name).lower())))
    if not found:
        found = [mail for line in event.all("ORGANIZER")[:1] if (mail := _address(line))]
    return [*found[:MOST_PEOPLE]] or [None]


def _comes(guest: Line) -> bool:
    says = guest.parameters
    return (
        says.get("PARTSTAT", "").upper() != "DECLINED"
        and says.get("CUTYPE", "").upper() not in NO_PERSON
    )


def _address(line: Line) -> str | None:
    for text in (line.value, line.parameters.get("EMAIL", "")):
        mail = text.strip().lower().removeprefix("mailto:")
        if len(mail) <= LONGEST_TEXT and MAIL.fullmatch(mail) and not mail.endswith(GROUP_CALENDAR):
            return mail
    return None
