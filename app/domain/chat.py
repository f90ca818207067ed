"""The chats that a page can go to, each named by one URL as Apprise writes it.

Apprise knows some 170 services, and among them ways to reach any host, file or program. Only
those listed here are taken, and each URL must be of the plainest form, so that nothing in it
can mean one thing to us and another to Apprise: no option but those listed, no second host,
nothing escaped in the host. The URL is a secret as a whole; only its `label` is ever shown.
"""

import hashlib
import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ChatService:
    """One kind of chat. `own_host`: whether the URL says which host to ask."""

    name: str
    own_host: bool
    options: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ChatAddress:
    """A chat URL that may be used. `host` is whom it reaches, if that is its author's choice."""

    scheme: str
    service_name: str
    own_host: bool
    host: str | None
    label: str
    url: str = field(repr=False)


def _service(name: str, *options: str, own_host: bool = False) -> ChatService:
    return ChatService(name, own_host, frozenset(options))


_NTFY = _service("ntfy", "priority", own_host=True)
_GOTIFY = _service("Gotify", "priority", own_host=True)
_MATTERMOST = _service("Mattermost", "channel", own_host=True)
_ROCKET = _service("Rocket.Chat", own_host=True)
_MATRIX = _service("Matrix", own_host=True)
_TEAMS = _service("Microsoft Teams", "pa", own_host=True)
_WEBEX = _service("Webex")
_ZULIP = _service("Zulip", own_host=True)

CHAT_SCHEMES = {
    "dingtalk": _service("DingTalk"),
    "discord": _service("Discord", "thread"),
    "feishu": _service("Feishu"),
    "flock": _service("Flock"),
    "gchat": _service("Google Chat", "thread"),
    "gotify": _GOTIFY,
    "gotifys": _GOTIFY,
    "lark": _service("Lark"),
    "line": _service("LINE"),
    "matrix": _MATRIX,
    "matrixs": _MATRIX,
    "mmost": _MATTERMOST,
    "mmosts": _MATTERMOST,
    "ntfy": _NTFY,
    "ntfys": _NTFY,
    "pbul": _service("Pushbullet"),
    "pover": _service("Pushover", "priority", "sound"),
    "rocket": _ROCKET,
    "rockets": _ROCKET,
    "slack": _service("Slack"),
    "tgram": _service("Telegram", "silent", "topic"),
    "webex": _WEBEX,
    "workflow": _TEAMS,
    "workflows": _TEAMS,
    "wxteams": _WEBEX,
    "zulip": _ZULIP,
}

LONGEST_URL = 2000

_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^?]+)(?:\?([^?]*))?")
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")  # printable ASCII without " < > \ ^ ` { | }
_PLACE = re.compile(r"(?:([^@/#]+)@)?([A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?(?:/(.*))?")
_OPTION = re.compile(r"([a-z]+)=([A-Za-z0-9_.~-]{1,100})")
_HINT = 4


def read_chat_url(text: str) -> ChatAddress:
    """The chat that a URL names; ValueError with a sentence, which quotes nothing secret."""
    url = text.strip()
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise ValueError("Write the chat as a URL like slack://…, ntfys://host/topic or tgram://….")
    scheme = shape[1].lower()
    service = CHAT_SCHEMES.get(scheme)
    if service is None:
        names = sorted({known.name for known in CHAT_SCHEMES.values()}, key=str.lower)
        raise ValueError(f"No chat begins with that word. Known are {', '.join(names)}.")
    if len(url) > LONGEST_URL or not _PLAIN.fullmatch(url) or "#" in shape[2].replace("/#", "/"):
        raise ValueError(
            f"The {service.name} URL is too long or holds characters that must be percent-encoded."
        )
    _check_options(service, shape[3])
    host = _read_host(scheme, service, shape[2]) if service.own_host else None
    url = scheme + url[len(scheme) :]
    return ChatAddress(
        scheme, service.name, host is not None, host, _label(scheme, service.name, host, url), url
    )


def _check_options(service: ChatService, query: str | None) -> None:
    if query is None:
        return
    for part in query.split("&"):
        option = _OPTION.fullmatch(part)
        if option is None or option[1] not in service.options:
            allowed = " and ".join(sorted(service.options)) or "none"
            raise ValueError(
                f"A {service.name} URL has an option after its ? that cannot be used here; "
                f"allowed: {allowed}, in letters and digits."
            )


def _read_host(scheme: str, service: ChatService, place: str) -> str | None:
    """The host that a URL of this service reaches; None if it is the service's own."""
    parts = _PLACE.fullmatch(place)
    if parts is None or (service is _ROCKET and "@" in (parts[4] or "")):
        raise ValueError(
            f"A {service.name} URL must be {scheme}://, then a login and @ if it has one, then the "
            "host as a plain name or IPv4 address; write a / in the login as %2F."
        )
    login, host, rest = parts[1], parts[2].lower(), (parts[4] or "").strip("/")
    if service is _NTFY and not rest:
        return None  # ntfy://topic: on ntfy.sh
    if service is _ZULIP and "." not in host:
        raise ValueError(
            "A Zulip URL must name its whole host, like zulip://bot@org.zulipchat.com."
        )
    if service is _MATRIX and (not login or ":" in login or not rest):
        # With a password Apprise would register, log in and out by itself.
        raise ValueError("A Matrix URL must be matrixs://access-token@host/#room.")
    return host


def _label(scheme: str, name: str, host: str | None, url: str) -> str:
    """`Mattermost (mmosts://chat…, 1f2e3d4c)`: told apart by whoever knows it, no use to others."""
    hint = host[:_HINT] if host else ""
    fingerprint = hashlib.sha256(url.encode()).hexdigest()[:8]
    return f"{name} ({scheme}://{hint}…, {fingerprint})"
