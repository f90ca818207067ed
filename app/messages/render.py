"""Every kind of message, for every channel that carries it.

One entry point: facts in, words and JSON out. An admin's wording takes the place of the
built-in one where it can; where it cannot, the built-in one goes out and `fault` says why,
because no wording is worth a page. Whatever a wording says, the link that stops a page stays,
and a fire drill says first of all that it is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.notification import (
    DUTY_KINDS,
    INCIDENT_KINDS,
    TASK_KINDS,
    Channel,
    NotificationKind,
)
from app.messages import chat, letters, program, push, samples, sms
from app.messages.environment import html, plain_text
from app.messages.facts import (
    DRILL,
    BundleFacts,
    Facts,
    IncidentFacts,
    PageFacts,
    UpdateFacts,
    Words,
    shown,
)
from app.messages.letters import Letter, greeted
from app.messages.plain import block, counted, cut, line
from app.messages.wording import LONGEST_SUBJECT, Wording, WordingError, reword, room

_FEW_IN_A_MAIL = 10
_LONGEST_FAULT = 300
_FEW = {Channel.SMS: sms.FEW, Channel.PUSH: push.FEW, Channel.CHAT: chat.FEW}
_EVERYWHERE = tuple(Channel)
_MAIL_ONLY = (Channel.EMAIL,)

CHANNELS: Mapping[NotificationKind, tuple[Channel, ...]] = {
    **dict.fromkeys(INCIDENT_KINDS, _EVERYWHERE),
    NotificationKind.TEST: _EVERYWHERE,
    NotificationKind.VERIFICATION: _EVERYWHERE,
    NotificationKind.SIGNUP: _MAIL_ONLY,
    NotificationKind.SIGNUP_KNOWN: _MAIL_ONLY,
    NotificationKind.RECOVERY: _MAIL_ONLY,
    NotificationKind.PASSWORD_CHANGED: _MAIL_ONLY,
    NotificationKind.WEBHOOK_DISABLED: _MAIL_ONLY,
    **dict.fromkeys(DUTY_KINDS, _EVERYWHERE),
    NotificationKind.PREFLIGHT: _MAIL_ONLY,
    **dict.fromkeys(TASK_KINDS, _EVERYWHERE),
    NotificationKind.DIGEST: _MAIL_ONLY,
    NotificationKind.PUBLIC_REMINDER: _EVERYWHERE,
}


@dataclass(frozen=True)
class Rendered:
    """A message in every form that its channel may want."""

    subject: str
    text: str
    html: str | None
    json: Mapping[str, Any]
    fault: str | None = None  # why an admin's wording was not used


def render(
    kind: NotificationKind,
    channel: Channel,
    facts: Facts,
    *,
    now: datetime,
    wording: Wording | None = None,
) -> Rendered:
    """The message about `facts` as `channel` carries it, in this wording if it can be used."""
    if channel not in CHANNELS[kind]:
        raise ValueError(f"There is no {kind} over {channel}.")
    made = shown(facts, is_quiet=channel is Channel.CHAT)
    words, page = _built_in(kind, channel, made)
    is_push = channel is Channel.PUSH
    body = program.beside_push(kind, facts) if is_push else program.body(kind, facts, now)
    words = _marked(channel, made, words)
    rendered = Rendered(words.subject, words.text, page, body)
    if wording is None:
        return rendered
    try:
        return _reworded(kind, channel, made, wording, rendered)
    except Exception as exc:  # whatever it is, the message goes out
        fault = line(f"The wording for {kind} over {channel} was not used: {exc}")
        return replace(rendered, fault=cut(fault, _LONGEST_FAULT))


def for_program(kind: NotificationKind, facts: Facts, *, now: datetime) -> Rendered:
    """The message as a program reads it, without the words that nobody would see."""
    return Rendered("", "", None, program.body(kind, facts, now))


def render_bundle(channel: Channel, facts: BundleFacts, *, now: datetime) -> Rendered:
    """Several pages told as one: the first few, worst first, and how many more there are."""
    facts = facts.worst_first()
    first = replace(facts, items=facts.items[: _FEW.get(channel, _FEW_IN_A_MAIL)])
    made = shown(first, is_quiet=channel is Channel.CHAT)
    body = program.bundle(facts, now)
    match channel:
        case Channel.SMS:
            words = sms.bundle(made)
        case Channel.PUSH:
            words = push.bundle(made)
            body = program.bundle_beside_push(facts)
        case Channel.CHAT:
            words = chat.bundle(made)
        case Channel.EMAIL | Channel.WEBHOOK:
            return _mailed_bundle(channel, made, body)
    return Rendered(words.subject, words.text, None, body)


def preview(kind: NotificationKind, channel: Channel, wording: Wording | None = None) -> Rendered:
    """The message about a believable incident, in this wording or in the built-in one."""
    return render(kind, channel, samples.FULL[kind], now=samples.NOW, wording=wording)


# --- A fire drill -------------------------------------------------------------------------


def _marked(channel: Channel, facts: Facts, words: Words) -> Words:
    """The words, said to be a drill first of all if they are of one, whoever worded them.

    A push and a chat show the subject above the text.
    """
    if not isinstance(facts, IncidentFacts) or not facts.is_drill:
        return words
    subject, text = words.subject, words.text
    if not subject.startswith(DRILL):
        subject = cut(f"{DRILL}: {subject}", LONGEST_SUBJECT)
    if channel not in (Channel.PUSH, Channel.CHAT) and not text.startswith(DRILL):
        text = f"{DRILL}: {text}"
    return Words(subject, text)


# --- The built-in wording -----------------------------------------------------------------


def _built_in(kind: NotificationKind, channel: Channel, facts: Facts) -> tuple[Words, str | None]:
    """Words, and for mail the same in HTML. A webhook's words are for people who look on."""
    match channel:
        case Channel.SMS:
            return sms.words(kind, facts), None
        case Channel.PUSH:
            return push.words(kind, facts), None
        case Channel.CHAT:
            return chat.words(kind, facts), None
        case Channel.EMAIL | Channel.WEBHOOK:
            is_mail = channel is Channel.EMAIL
            if isinstance(facts, PageFacts):
                return _page(facts), html("page", page=facts) if is_mail else None
            letter = letters.letter(kind, facts)
            return Words(letter.subject, letter.text()), letter.html() if is_mail else None


def _page(facts: PageFacts) -> Words:
    urgency = f"{DRILL}:" if facts.is_drill else f"[{facts.urgency}]"
    return Words(
        f"{urgency} {facts.headline} · {facts.service} (#{facts.incident_id})",
        block(plain_text("page", page=facts)) + "\n",
    )


def _mailed_bundle(channel: Channel, facts: BundleFacts, body: Mapping[str, Any]) -> Rendered:
    heading = f"{counted(facts.total, 'incident')} at once"
    said = {
        "lead": greeted(facts.recipient, "you are needed, and more than once."),
        "heading": heading,
        "items": facts.items,
        "rest": facts.total - len(facts.items),
        "footnote": "They came faster than you wish to be paged, so they are told as one.",
    }
    return Rendered(
        f"[{facts.items[0].severity.upper()}] {heading}" if facts.items else heading,
        block(plain_text("bundle", **said)) + "\n",
        html("bundle", **said) if channel is Channel.EMAIL else None,
        body,
    )


# --- An admin's wording -------------------------------------------------------------------


def _reworded(
    kind: NotificationKind, channel: Channel, facts: Facts, wording: Wording, built_in: Rendered
) -> Rendered:
    if not isinstance(facts, PageFacts | UpdateFacts):
        raise WordingError("Only messages about an incident can be worded.")
    words = reword(kind, channel, facts, wording)
    words = _marked(channel, facts, Words(words.subject or built_in.subject, words.text))
    subject = words.subject
    link = facts.acknowledge_url if isinstance(facts, PageFacts) else None
    page = None
    if channel is Channel.EMAIL:
        button = ("Acknowledge", link) if link else None
        page = Letter(subject, paragraphs=(words.text,), button=button).html()
    text = words.text
    if link and channel is not Channel.PUSH:  # whose links travel beside the words
        text = _with_link(text, link, room(channel))
    return replace(built_in, subject=subject, text=text, html=page)


def _with_link(text: str, link: str, most: int) -> str:
    """The text, with the link at its end unless it stands in it, whole and by itself."""
    if link in text.split():
        return text
    added = f"\n\nAcknowledge:\n{link}"
    return text[: most - len(added)].rstrip() + added
