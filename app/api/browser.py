"""Logins of browsers: the cookie that proves one, and what keeps other sites from using it.

The cookie opens the pages and, for `EventSource`, which can send no header, the stream; no other
route of the API looks at it. Whatever changes something needs, besides the cookie, a token that
only our own pages hold, and must not come from elsewhere as far as the browser tells.

The token is another one on every page, though each is good as long as the login: a page that is
compressed and repeats what somebody sent would otherwise give it away letter by letter.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.api.state import Service
from app.core.errors import ForbiddenError
from app.core.security import COOKIE, COOKIE_PREFIX, Signer
from app.domain.auth import BROWSER_LIVES
from app.models import User
from app.services import auth as auth_service

STRANGER = "tocsin-visit"  # who has not signed in, so that nobody signs them in unasked
STRANGER_LIFE = timedelta(hours=12)
NONCE_BYTES = 9
SIGNATURE_BYTES = 18
PURPOSE = "form"
OURS = ("same-origin", "none")  # by a link of ours, or by the person's own hand
LONGEST_COOKIE = 200


class ForeignRequestError(ForbiddenError):
    """Another site sent it, or a page that is too old."""

    code = "REQUEST_FROM_ELSEWHERE"

    def __init__(self) -> None:
        super().__init__(
            "This form did not come from a page of this login. Go back, load the page again and"
            " send it once more."
        )


@dataclass(frozen=True)
class BrowserLogin:
    """Somebody who is signed in with a browser."""

    user: User
    session_id: int
    cookie: str
    now: datetime
    heard: int


def is_secure(service: Service, connection: HTTPConnection) -> bool:
    """Whether this browser reached us by HTTPS, as the connection or the settings tell."""
    own = service.settings.public_url or ""
    return connection.url.scheme in ("https", "wss") or own.startswith("https://")


def cookie_name(service: Service, connection: HTTPConnection, name: str = COOKIE) -> str:
    """By HTTPS a name that no other host, and nothing without HTTPS, can set."""
    return f"__Host-{name}" if is_secure(service, connection) else name


def cookie_of(service: Service, connection: HTTPConnection, name: str = COOKIE) -> str | None:
    found = connection.cookies.get(cookie_name(service, connection, name))
    is_ours = found is not None and found.startswith(COOKIE_PREFIX)
    return found if is_ours and len(found or "") <= LONGEST_COOKIE else None


async def login_of(service: Service, connection: HTTPConnection) -> BrowserLogin | None:
    """Who is signed in here, if anybody is."""
    cookie = cookie_of(service, connection)
    if cookie is None:
        return None
    life = service.settings.refresh_token_life
    login = await auth_service.in_browser(service.database, cookie, life=life)
    if login is None:
        return None
    return BrowserLogin(login.user, login.id, cookie, login.now, login.heard)


def set_cookie(service: Service, connection: HTTPConnection, answer: Response, cookie: str) -> None:
    """Sign this browser in. What the login is worth is known to the database alone."""
    life = BROWSER_LIVES * service.settings.refresh_token_life
    _set(service, connection, answer, COOKIE, cookie, life)


def set_stranger(
    service: Service, connection: HTTPConnection, answer: Response, cookie: str
) -> None:
    _set(service, connection, answer, STRANGER, cookie, STRANGER_LIFE)


def remove_cookie(service: Service, connection: HTTPConnection, answer: Response) -> None:
    secure = is_secure(service, connection)
    answer.delete_cookie(
        cookie_name(service, connection), secure=secure, httponly=True, samesite="lax"
    )


def _set(
    service: Service,
    connection: HTTPConnection,
    answer: Response,
    name: str,
    cookie: str,
    life: timedelta,
) -> None:
    answer.set_cookie(
        cookie_name(service, connection, name),
        cookie,
        max_age=int(life.total_seconds()),
        path="/",
        secure=is_secure(service, connection),
        httponly=True,
        samesite="lax",
    )


def form_token(signer: Signer, cookie: str) -> str:
    """What a form of ours carries for whoever holds this cookie."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + _signature(signer, cookie, nonce)).decode()


def is_form_token(signer: Signer, cookie: str, token: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(token)
    except ValueError:
        return False
    nonce, signature = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
    return hmac.compare_digest(signature, _signature(signer, cookie, nonce))


def _signature(signer: Signer, cookie: str, nonce: bytes) -> bytes:
    message = nonce + cookie.encode()
    return hmac.digest(signer.derive(PURPOSE), message, "sha256")[:SIGNATURE_BYTES]


def is_from_elsewhere(service: Service, connection: HTTPConnection) -> bool:
    """Whether a browser tells that another site sent this. An old one tells nothing."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site not in OURS
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    own = {connection.headers.get("host", ""), urlsplit(service.settings.public_url or "").netloc}
    return urlsplit(origin).netloc not in own - {""}
