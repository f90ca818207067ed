"""Calendar files at a test's command, and a strict reader of those that we write."""

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

LINE = re.compile(rb"[A-Z-]+(;[A-Z-]+=[^;:,\"]+)*:[^\x00-\x08\x0a-\x1f\x7f]*")
INSTANT = re.compile(r"\d{8}T\d{6}Z")
ONCE = ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY")


def ics(*events: str, extra: str = "") -> bytes:
    """A calendar of events, each written as its lines."""
    told = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n{extra}{told}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def duty(starts_at: datetime, mail: str, *, uid: str = "1", hours: float = 8) -> str:
    """An event in which somebody is on call, in UTC."""
    ends_at = starts_at + timedelta(hours=hours)
    return (
        f"UID:{uid}\nDTSTART:{starts_at:%Y%m%dT%H%M%SZ}\nDTEND:{ends_at:%Y%m%dT%H%M%SZ}\n"
        f"SUMMARY:On call\nATTENDEE;CN=Somebody:mailto:{mail}"
    )


def read_strictly(body: bytes) -> list[dict[str, str]]:
    """The events of a file that keeps every rule of RFC 5545 that we know of."""
    assert body.endswith(b"\r\n")
    raw = body.removesuffix(b"\r\n").split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in raw)
    assert max(len(line) for line in raw) <= 75
    for line in raw:
        line.decode()  # no letter is broken
    whole = re.sub(rb"\r\n[ \t]", b"", body).removesuffix(b"\r\n").split(b"\r\n")
    assert all(LINE.fullmatch(line) for line in whole)
    pairs = [line.decode().split(":", 1) for line in whole]
    assert pairs[0] == ["BEGIN", "VCALENDAR"]
    assert pairs[-1] == ["END", "VCALENDAR"]
    return _events(pairs[1:-1])


def _events(pairs: list[list[str]]) -> list[dict[str, str]]:
    head: Counter[str] = Counter()
    events: list[dict[str, str]] = []
    inside: dict[str, str] | None = None
    for name, value in pairs:
        if (name, value) == ("BEGIN", "VEVENT"):
            assert inside is None
            inside = {}
        elif (name, value) == ("END", "VEVENT"):
            assert inside is not None
            events.append(inside)
            inside = None
        elif inside is None:
            assert not events, "properties of the calendar come before its parts"
            head[name] += 1
        else:
            assert name not in inside, f"{name} stands twice in an event"
            inside[name] = value
    assert inside is None
    assert head["VERSION"] == head["PRODID"] == 1
    assert set(head.values()) == {1}
    for event in events:
        assert set(ONCE) <= set(event)
        assert all(INSTANT.fullmatch(event[name]) for name in ("DTSTAMP", "DTSTART", "DTEND"))
        assert event["DTSTART"] < event["DTEND"]
    uids = [event["UID"] for event in events]
    assert len(uids) == len(set(uids))
    return events


def times(event: dict[str, Any]) -> tuple[str, str]:
    return event["DTSTART"], event["DTEND"]
