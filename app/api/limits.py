"""How often one caller may ask, by what is asked for.

A request is counted before anything is done for it, and the handshake of a WebSocket is a read.
Who is logged in is counted as that person, an API key as itself, a browser's cookie as its person,
who brings a ticket as whoever it was issued to, who holds a link of ours by that link, and
everybody else by address. With a Redis all replicas count together; without one, and while it is
lost, each counts for itself.
What comes in for integrations each process always counts for itself: no alert waits for a second
server.
"""

import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Scope

from app.api.client import client_of
from app.core import stream_ticket
from app.core.config import Settings
from app.core.errors import TocsinError, TooManyError, UnavailableError
from app.core.security import COOKIE, Signer, hash_key
from app.core.source import Source
from app.core.stream_ticket import Listener
from app.core.tallies import Tallies
from app.db.redis import SharedStore
from app.db.shared_tallies import SharedTallies
from app.domain import api_key
from app.domain import rate as rates
from app.domain.integration import IntegrationKind
from app.domain.rate import Rate, Standing
from app.services import calendar_feed, notification, receipt

READING = ("GET", "HEAD")
STRANGERS_AT = ("/v1/auth/", "/account/", "/login", "/signup", "/forgotten")
# What watches us, and files, which cost nothing.
UNLIMITED = ("/health", "/ready", "/metrics", "/static/")
# A monitor's pings are counted by its address, at their own door.
PINGS_AT = "/v1/ping/"
PING_RATE = Rate(60, 60)
TICKETS_AT = ("/v1/stream", "/v1/ws")
LINKS = {
    "/a/": notification.LINK_PURPOSE,
    "/v1/receipts/": receipt.LINK_PURPOSE,
    "/v1/calendar/": calendar_feed.LINK_PURPOSE,
}
UNITS = {seconds: word for word, seconds in rates.SECONDS.items()}
KNOWN_FOR = 60.0  # seconds
MOST_KNOWN = 10_000


class Category(StrEnum):
    LOGINS = "logins"
    WRITES = "writes"
    READS = "reads"
    INGEST = "ingest"


class RateLimitedError(TooManyError):
    """A caller has used up a quota."""

    code = "RATE_LIMITED"


class IngestLimitedError(UnavailableError):
    """The same, for senders that try again after a 5xx only."""

    code = "OVERLOADED"

    def __init__(self, message: str, *, retry_after: int, **details: Any) -> None:
        super().__init__(message, retry_after=retry_after, **details)
        self.retry_after = retry_after


class Limits:
    """The quotas of this installation, and who has used how much of them."""

    def __init__(
        self, settings: Settings, signer: Signer, store: SharedStore | None = None
    ) -> None:
        self.store = store
        self._signer = signer
        self._key = signer.derive("rate limits")
        self._seen: dict[str, tuple[str, float]] = {}  # whose each secret is, and until when
        written = {
            Category.LOGINS: settings.rate_limit_logins,
            Category.WRITES: settings.rate_limit_writes,
            Category.READS: settings.rate_limit_reads,
            Category.INGEST: settings.rate_limit_ingest,
        }
        parsed = {category: rates.parse(text) for category, text in written.items()}
        self.rates: Mapping[Category, Rate] = {c: rate for c, rate in parsed.items() if rate}
        self._here = {category: Tallies(rate) for category, rate in self.rates.items()}
        self._pings = Tallies(PING_RATE)
        self._shared: dict[Category, SharedTallies] = {
            category: SharedTallies(store, rate)
            for category, rate in self.rates.items()
            if store is not None and category is not Category.INGEST
        }

    async def ask(self, scope: Scope) -> tuple[Category, Standing] | None:
        """Count a request; how its caller stands then, or None if nothing limits it."""
        if not self.rates or scope["path"].startswith((*UNLIMITED, PINGS_AT)):
            return None
        request = HTTPConnection(scope)
        known = self._known(request)
        category = _category(scope, is_known=known is not None)
        if category not in self.rates:
            return None
        return category, await self._count(category, known or f"from {client_of(request)}")

    async def count_late(self, listener: Listener) -> None:
        """Count somebody who said who they are after the handshake of a WebSocket, or refuse them.

        The handshake itself was a read of their address.
        """
        if Category.READS in self.rates:
            standing = await self._count(Category.READS, _name_of(listener))
            if not standing.is_allowed:
                raise refusal(Category.READS, standing)

    def take_in(self, kind: IntegrationKind, key_hash: str) -> Standing | None:
        """Count what came with an integration's key, or refuse it in the way that makes its
        sender try again; how the key stands then, or None if nothing limits it."""
        here = self._here.get(Category.INGEST)
        if here is None:
            return None
        standing = here.count(key_hash)
        if not standing.is_allowed:
            raise refusal(Category.INGEST, standing, kind)
        return standing

    def ping(self, token_hash: str) -> None:
        """Count a ping at this address, or refuse it: no schedule needs one a second."""
        standing = self._pings.count(token_hash)
        if not standing.is_allowed:
            raise RateLimitedError(
                f"Too many pings: {PING_RATE.limit} a minute are allowed."
                f" Try again in {standing.reset} s.",
                retry_after=standing.reset,
                category="pings",
                limit=PING_RATE.limit,
                window_seconds=PING_RATE.window,
            )

    async def count_stranger(self, caller: str) -> None:
        """Count somebody who tried an address that nobody has, or refuse them."""
        if Category.READS in self.rates:
            standing = await self._count(Category.READS, caller)
            if not standing.is_allowed:
                raise refusal(Category.READS, standing)

    def remember(self, scope: Scope, caller: Source) -> None:
        """The API key or the cookie of this request opened something, so it is counted as the key,
        or as its person, for a while.

        Before it does it is counted by address: whoever invents some gains nothing by it.
        """
        if caller.user_id is None:
            return
        if len(self._seen) >= MOST_KNOWN:
            self._seen.clear()
        request = HTTPConnection(scope)
        secret = _secret(request)
        if not secret and (cookie := _cookie(request)):
            self._see(cookie, f"user {caller.user_id}")
        elif caller.api_key_id is not None and api_key.is_ours(secret):
            self._see(secret, f"key {caller.api_key_id}")

    def _see(self, secret: str, name: str) -> None:
        self._seen[hash_key(secret)] = (name, time.monotonic() + KNOWN_FOR)

    def _seen_as(self, secret: str) -> str | None:
        name, until = self._seen.get(hash_key(secret), ("", 0.0))
        return name if until > time.monotonic() else None

    def _known(self, request: HTTPConnection) -> str | None:
        """Whom we know behind a request, without asking any server."""
        path = request.scope["path"]
        for start, purpose in LINKS.items():
            if path.startswith(start):
                token = path.removeprefix(start).removesuffix(calendar_feed.SUFFIX)
                number = self._signer.read_link(purpose, token)
                return None if number is None else f"{purpose} {number}"
        if path in TICKETS_AT and (ticket := request.query_params.get("ticket")) is not None:
            return self._holder(ticket)
        secret = _secret(request)
        if not secret:
            cookie = _cookie(request)
            return self._seen_as(cookie) if cookie else None
        if secret.startswith(api_key.PREFIX):
            return self._seen_as(secret)
        claims = self._signer.read_access_token(secret)
        return None if claims is None else f"user {claims[0]}"

    def _holder(self, ticket: str) -> str | None:
        """Whom a ticket was issued to. One that is over names nobody: it may stand in a log."""
        now = datetime.fromtimestamp(time.time(), UTC)
        listener = stream_ticket.read(self._signer, ticket, now=now)
        return None if listener is None else _name_of(listener)

    async def _count(self, category: Category, caller: str) -> Standing:
        """By all replicas together, if they can. What they allow is noted here, too, so that
        nobody's quota begins anew when the Redis is lost."""
        shared = self._shared.get(category)
        standing = await shared.count(self._name(category, caller)) if shared is not None else None
        if standing is None or standing.is_allowed:
            here = self._here[category].count(caller)
        return standing or here

    def _name(self, category: Category, caller: str) -> str:
        """What a count is kept under in Redis: nobody reads there who our callers are, and two
        installations may share one."""
        digest = hmac.digest(self._key, caller.encode(errors="replace"), "sha256")
        return f"tocsin:{category}:{digest[:16].hex()}"


def _name_of(listener: Listener) -> str:
    key_id = listener.key_id
    return f"user {listener.user_id}" if key_id is None else f"key {key_id}"


def refusal(
    category: Category, standing: Standing, kind: IntegrationKind | None = None
) -> TocsinError:
    """What a caller over the limit is told: Alertmanager tries again after 5xx only."""
    rate = standing.rate
    text = (
        f"Too many {category}: {rate.limit} a {UNITS[rate.window]} are allowed."
        f" Try again in {standing.reset} s."
    )
    is_deaf = kind is IntegrationKind.ALERTMANAGER
    return (IngestLimitedError if is_deaf else RateLimitedError)(
        text,
        retry_after=standing.reset,
        category=category.value,
        limit=rate.limit,
        window_seconds=rate.window,
    )


def told(category: Category, standing: Standing) -> dict[str, str]:
    """How a caller stands, as headers."""
    rate = standing.rate
    return {
        "RateLimit-Policy": f'"{category}";q={rate.limit};w={rate.window}',
        "RateLimit": f'"{category}";r={standing.remaining};t={standing.reset}',
    }


def _category(scope: Scope, *, is_known: bool) -> Category:
    if scope["type"] == "websocket" or scope["method"] in READING:
        return Category.READS
    if scope["path"].startswith(STRANGERS_AT) and not is_known:
        return Category.LOGINS
    return Category.WRITES


def _cookie(request: HTTPConnection) -> str | None:
    """The cookie of a browser's login, by either of its names."""
    cookies = request.cookies
    return cookies.get(COOKIE) or cookies.get(f"__Host-{COOKIE}")


def _secret(request: HTTPConnection) -> str:
    """The token or API key that a request brings."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    bearer = rest.strip() if scheme.lower() == "bearer" else ""
    return bearer or request.headers.get("x-api-key", "").strip()
