"""Wordings of an admin's own, in the place of the built-in ones.

A wording takes time and memory in proportion to its own length, whatever it says: `check`
refuses everything else before it is kept, and the same check stands before every rendering.
Nothing it says is HTML, and nothing it says can lose the link that stops a page (`render`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.domain.notification import INCIDENT_KINDS, Channel, NotificationKind
from app.messages import samples
from app.messages.expressions import Complaint
from app.messages.facts import PageFacts, UpdateFacts, Words, shown
from app.messages.filters import FILTERS
from app.messages.grammar import complaints, unreadable
from app.messages.plain import block, line
from app.messages.vocabulary import Labels, say, values, vocabulary

LONGEST_SUBJECT = 255
LONGEST_BODY = 10_000
LONGEST_TEXT = 20_000
LONGEST_SMS = 1600
WORDED_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.PUSH, Channel.CHAT)  # JSON is not worded
# A line with nothing on it but a tag leaves no empty line behind: its end moves into the tag.
_TAG_LINE = re.compile(r"^([ \t]*\{%(?:(?!\{%|\{\{|\{#|-?%\})[^\n])*)(-?%\})[ \t]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Wording:
    """How one kind of message reads on one channel. Without a subject, the built-in one stays."""

    subject: str | None
    body: str


@dataclass(frozen=True)
class Fault:
    """What is wrong with a wording: which part of it, on which line, and what is allowed."""

    field: str
    line: int
    message: str


@dataclass(frozen=True)
class Variable:
    """What a wording may say of the facts."""

    name: str
    description: str
    example: str


class WordingError(Exception):
    """This wording cannot be used; its message says why."""


@dataclass(frozen=True)
class _Compiled:
    faults: tuple[Fault, ...] = ()
    subject: Template | None = None
    body: Template | None = None


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=say, lstrip_blocks=True
    )
    made.globals.clear()
    made.filters = {name: rule.apply for name, rule in FILTERS.items()}
    made.tests = {"defined": lambda _: True, "none": lambda value: value is None}
    return made


_ENVIRONMENT = _environment()


def check(kind: NotificationKind, channel: Channel, wording: Wording) -> list[Fault]:
    """What is wrong with a wording. One without faults can be rendered for every incident."""
    return list(_refusals(kind, channel, wording) or _compiled(kind, wording).faults)


def variables(kind: NotificationKind) -> list[Variable]:
    """Everything a wording of this kind may use; nothing for kinds that are not worded."""
    if kind not in INCIDENT_KINDS:
        return []
    full = values(kind, samples.FULL[kind])
    return [
        Variable(name, word.what, _example(full[name])) for name, word in vocabulary(kind).items()
    ]


def reword(
    kind: NotificationKind, channel: Channel, facts: PageFacts | UpdateFacts, wording: Wording
) -> Words:
    """The wording, filled in with facts that were made fit for people, or `WordingError`.

    The subject is empty where the built-in one stays.
    """
    faults = _refusals(kind, channel, wording)
    compiled = _Compiled(tuple(faults)) if faults else _compiled(kind, wording)
    if compiled.faults or compiled.body is None:
        raise WordingError(" ".join(fault.message for fault in compiled.faults[:1]))
    return _filled(compiled.subject, compiled.body, channel, values(kind, facts))


def room(channel: Channel) -> int:
    """How long a text may become on a channel."""
    return LONGEST_SMS if channel is Channel.SMS else LONGEST_TEXT


def _filled(
    subject: Template | None, body: Template, channel: Channel, said: Mapping[str, Any]
) -> Words:
    text = block(_fill(body, said, room(channel)))
    if not text:
        raise WordingError("The wording came out empty.")
    heading = line(_fill(subject, said, LONGEST_TEXT)) if subject is not None else ""
    return Words(heading[:LONGEST_SUBJECT], text)


def _fill(template: Template, said: Mapping[str, Any], most: int) -> str:
    """What a template says, piece by piece, and no more of it than is wanted."""
    pieces = []
    length = 0
    for piece in template.generate(said):
        pieces.append(piece)
        length += len(piece)
        if length >= most:
            break
    return "".join(pieces)[:most]


def _refusals(kind: NotificationKind, channel: Channel, wording: Wording) -> list[Fault]:
    """What can be said against a wording without reading it."""
    faults = []
    if kind not in INCIDENT_KINDS:
        worded = ", ".join(INCIDENT_KINDS)
        faults.append(Fault("kind", 1, f"Only these kinds can be worded: {worded}."))
    if channel not in WORDED_CHANNELS:
        faults.append(
            Fault("channel", 1, f"Only these channels can be worded: {', '.join(WORDED_CHANNELS)}.")
        )
    if wording.subject is not None:
        if channel is Channel.SMS:
            faults.append(Fault("subject", 1, "A text message has no subject; leave it out."))
        faults += _size("subject", wording.subject, LONGEST_SUBJECT)
    return faults + _size("body", wording.body, LONGEST_BODY)


def _size(field: str, source: str, most: int) -> list[Fault]:
    if len(source) > most:
        return [Fault(field, 1, f"This has {len(source)} characters; {most} are allowed.")]
    if not source.strip():
        return [Fault(field, 1, f"The {field} says nothing; write something or leave it out.")]
    return []


@lru_cache(maxsize=256)
def _compiled(kind: NotificationKind, wording: Wording) -> _Compiled:
    subject_faults, subject = (
        ([], None) if wording.subject is None else _read("subject", wording.subject, kind)
    )
    body_faults, body = _read("body", wording.body, kind)
    faults = (*subject_faults, *body_faults)
    return _Compiled(faults) if faults else _Compiled((), subject, body)


def _read(field: str, source: str, kind: NotificationKind) -> tuple[list[Fault], Template | None]:
    """One text, checked, compiled and tried on the samples."""
    try:
        tree = _ENVIRONMENT.parse(_TAG_LINE.sub(r"\1\n\2", source))
        found = complaints(tree, vocabulary(kind))
        if found:
            return _faults(field, found), None
        code = _ENVIRONMENT.compile(tree)
        template = Template.from_code(_ENVIRONMENT, code, {})
        for facts in (samples.FULL[kind], samples.BARE[kind]):
            _fill(template, values(kind, shown(facts)), LONGEST_TEXT)
    except TemplateSyntaxError as exc:
        return _faults(field, [unreadable(exc)]), None
    except RecursionError:
        return [Fault(field, 1, "This is nested too deep; use fewer brackets.")], None
    except Exception:  # a number of ten thousand digits, and the like: refused, whatever it is
        return [Fault(field, 1, "This cannot be read; write it more simply.")], None
    return [], template


def _faults(field: str, found: list[Complaint]) -> list[Fault]:
    return [Fault(field, one.line, one.message) for one in found]


def _example(value: Any) -> str:
    match value:
        case tuple():
            return ", ".join(value)
        case Labels():
            return ", ".join(f"{name}: {text}" for name, text in value)
    return str(say(value))
