"""The Jinja environment of the pages, and the headers under which they are served.

Every template knows `ui`, the components; `me` and `visitor`, who is looking; `now`; `csrf`.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.core.version import VERSION
from app.domain.event import EventType
from app.web import browsers, flash, navigation, theme
from app.web.deps import Visitor
from app.web.markdown import markdown
from app.web.wellness import recent

HERE = Path(__file__).parent
STATIC = HERE / "static"

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
# Swagger UI and ReDoc set styles from their scripts; nothing else may.
LOOSE_STYLE_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# ReDoc searches in a worker that it makes from its own text.
REDOC_POLICY = LOOSE_STYLE_POLICY + "; worker-src blob:"

MINUTE, HOUR, DAY = 60, 3600, 86_400
FEW_DAYS = 7 * DAY
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(?:Z|[+-]\d\d:\d\d)", re.ASCII)
LIVE = "live"  # the part of a page, and the block of its template, that is kept true
# What time it is on the page that is being rendered, for filters, which see no context.
_now: ContextVar[datetime | None] = ContextVar("now", default=None)


def _edition() -> str:
    """A name for the static files as they are: an address that holds it may be kept for good."""
    digest = sha256(VERSION.encode())
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:10]


EDITION = f"~{_edition()}"


def asset(name: str) -> str:
    """Where a static file is. What it loads by relative addresses is of the same edition."""
    return f"/static/{EDITION}/{name}"


def instant(moment: datetime) -> str:
    """The exact time, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def duration(span: timedelta | float) -> str:
    """A span as people say it, by its two largest units: “2 h 5 min”."""
    seconds = round(span.total_seconds() if isinstance(span, timedelta) else span)
    if seconds < MINUTE:
        return f"{max(seconds, 0)} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return _two(seconds // HOUR, "h", seconds % HOUR // MINUTE, "min")
    return _two(seconds // DAY, "d", seconds % DAY // HOUR, "h")


def _two(large: int, unit: str, small: int, other: str) -> str:
    return f"{large} {unit}" + (f" {small} {other}" if small else "")


def relative(moment: datetime, now: datetime) -> str:
    """How long ago it was or will be, or the day if that is long."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) >= FEW_DAYS:
        return moment.astimezone(UTC).strftime("%-d %b %Y")
    if abs(seconds) < MINUTE:
        return "just now" if seconds >= 0 else "in less than a minute"
    size = abs(seconds)
    rounded = size - size % (HOUR if size >= DAY else MINUTE)
    words = duration(rounded) if size < DAY else f"{int(size // DAY)} d"
    return f"{words} ago" if seconds > 0 else f"in {words}"


def ago(moment: datetime) -> Markup:
    """A `<time>`: “12 min ago”, with the exact instant for whoever wants it. The script keeps it
    true, and tells it in the reader's own zone."""
    now = _now.get()
    words = relative(moment, now) if now is not None else instant(moment)
    return _time(moment, words, "ago")


def countdown(moment: datetime) -> Markup:
    """How long it is until then, which the script counts down: “3:12”."""
    now = _now.get()
    words = relative(moment, now) if now is not None else instant(moment)
    return _time(moment, words, "until")


def day(moment: datetime, kind: str = "exact") -> Markup:
    """The exact time, which the script tells in the reader's own zone; `kind` may be `clock`."""
    return _time(moment, instant(moment), kind)


def _time(moment: datetime, words: str, kind: str) -> Markup:
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{0}" data-time="{3}" title="{1}">{2}</time>').format(
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"), instant(moment), words, kind
    )


def moment(text: str) -> datetime | None:
    """The instant that a text is, as the audit log keeps one; None for any other text."""
    if not INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def initials(name: str) -> str:
    """At most two letters that stand for somebody; the first one of an address."""
    words = name.split("@", maxsplit=1)[0].replace(".", " ").replace("_", " ").split()
    letters = [words[0], words[-1]] if len(words) > 1 else words[:1]
    return "".join(word[0] for word in letters).upper() or "?"


def hue(name: str) -> int:
    """One of eight colours, always the same for the same name."""
    return sha256(name.encode(errors="replace")).digest()[0] % 8


def _query(given: Mapping[str, Any], **changed: Any) -> str:
    """The address's query with some of it changed; what is None is left out."""
    from_ = {**given, **changed}
    pairs = [
        (name, one)
        for name, value in from_.items()
        if value not in (None, "", [])
        for one in (value if isinstance(value, list | tuple | set) else [value])
    ]
    return "?" + urlencode(pairs) if pairs else "?"


environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters |= {
    "instant": instant,
    "ago": ago,
    "countdown": countdown,
    "day": day,
    "moment": moment,
    "duration": duration,
    "initials": initials,
    "hue": hue,
    "browser": browsers.told,
    "is_handheld": browsers.is_handheld,
    "query": _query,
    "markdown": markdown,
}
environment.globals |= {
    "asset": asset,
    "version": VERSION,
    "event_types": " ".join(EventType),  # a browser's `EventSource` wants them by name
}


def page(template: str, *, status: int = 200, policy: str = POLICY, **values: Any) -> HTMLResponse:
    """A rendered page that no cache keeps."""
    values = {"csrf": "", **values}
    values["ui"] = environment.get_template("components.html").make_module(values)
    return _answer(environment.get_template(template).render(values), status, policy)


def render(
    request: Request,
    visitor: Visitor | None,
    template: str,
    *,
    block: str | None = None,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """A page of the console as this person may see it, or one block of it: the one that is named,
    or `live`, for whoever has the rest of the page already and asks for that part anew."""
    found = environment.get_template(template)
    if block is None and status == 200 and _is_for_live(request) and LIVE in found.blocks:
        block = LIVE
    told = None if block else flash.said(request)
    context = {
        "request": request,
        "path": request.url.path,
        "here": f"{request.url.path}?{request.url.query}".rstrip("?"),
        "live_address": _live_address(request),
        "theme": theme.chosen(request),
        "visitor": visitor,
        "me": visitor.user if visitor else None,
        "csrf": visitor.csrf if visitor else "",
        "now": visitor.now if visitor else None,
        "said": told.words if told else None,
        "undo": told if told and told.action else None,
        **values,
    }
    if visitor is not None and block is None:
        groups = navigation.groups(request, visitor.user)
        context |= {"navigation": groups, "bar": navigation.bar(groups)}
        context["shortcuts"] = navigation.SHORTCUTS
        context.setdefault("wellness", recent(request.app.state.service))
    before = _now.set(context["now"])
    try:
        context["ui"] = environment.get_template("components.html").make_module(context)
        if block is None:
            html = found.render(context)
        else:
            html = "".join(found.blocks[block](found.new_context(context)))
    finally:
        _now.reset(before)
    answer = _answer(html, status, POLICY)
    if told is not None:
        answer.delete_cookie(flash.COOKIE, httponly=True, samesite="lax")
    return answer


def _is_for_live(request: Request) -> bool:
    asked = request.query_params.get("part") == LIVE
    return asked and request.method == "GET" and "hx-request" in request.headers


def _live_address(request: Request) -> str:
    """Where this page's live part is fetched anew, narrowed as the page is."""
    url = request.url.include_query_params(part=LIVE)
    return f"{url.path}?{url.query}"


def _answer(html: str, status: int, policy: str) -> HTMLResponse:
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return HTMLResponse(html, status, headers=headers)
