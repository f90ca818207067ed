"""Passwords, tokens, keys and links: everything that proves who somebody is.

One JWT algorithm, with `exp`, `sub`, issuer and audience required. Every other secret is
derived from the one `secret_key` for one purpose, so none can stand in for another.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
import string
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jose import JWTError, jwt
from passlib.context import CryptContext

from app.domain import api_key

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "tocsin"
# passlib 1.7.4 asks bcrypt 4 for a version it no longer tells, and logs a traceback for it.
logging.getLogger("passlib.handlers.bcrypt").setLevel(logging.ERROR)

KEY_PREFIX = "tik_"  # Tocsin integration key
REFRESH_PREFIX = "trt_"  # Tocsin refresh token
COOKIE_PREFIX = "tbl_"  # Tocsin browser login
COOKIE = "tocsin"  # its name; by HTTPS it begins with `__Host-`
PING_PREFIX = "thb_"  # Tocsin heartbeat
NONCE_BYTES = 12
LINK_SIGNATURE_BYTES = 18
ALPHANUMERIC = string.ascii_letters + string.digits
LONGEST_PASSWORD = 4096  # bytes; passlib refuses longer ones


class Passwords:
    """Hashes and checks passwords, never on the event loop.

    `bcrypt_sha256`, because plain bcrypt ignores what follows the 72nd byte.
    """

    def __init__(self, rounds: int) -> None:
        self._context = CryptContext(
            schemes=["bcrypt_sha256"], bcrypt_sha256__rounds=rounds, deprecated="auto"
        )
        self._nobody = self._context.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        return await asyncio.to_thread(self._context.hash, password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether it is the one. An unknown account (None) costs the same time as a known one."""
        if not _can_be_hashed(password):
            return False
        matches = await asyncio.to_thread(self._context.verify, password, hashed or self._nobody)
        return matches and hashed is not None


def _can_be_hashed(password: str) -> bool:
    try:
        return "\x00" not in password and len(password.encode()) <= LONGEST_PASSWORD
    except UnicodeEncodeError:
        return False


class Signer:
    """Signs and reads what this installation hands out."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key.encode()

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only this installation knows, different for every purpose."""
        return hmac.digest(self._secret_key, purpose.encode(), hashlib.sha256)

    def access_token(self, user_id: int, session_id: int, *, now: datetime, life: timedelta) -> str:
        """A token for a login; it is good as long as that login is, and no longer than `life`."""
        claims = {
            "sub": str(user_id),
            "sid": session_id,
            "iat": now,
            "exp": now + life,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return str(jwt.encode(claims, self.derive("access token").hex(), ALGORITHM))

    def read_access_token(self, token: str) -> tuple[int, int] | None:
        """The user and the login it was made for, or None if it is not ours or has ended."""
        try:
            claims = jwt.decode(
                token,
                self.derive("access token").hex(),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require_exp": True,
                    "require_sub": True,
                    "require_iss": True,
                    "require_aud": True,
                    "leeway": 10,
                },
            )
            return int(claims["sub"]), int(claims["sid"])
        except (
            JWTError,
            KeyError,
            TypeError,
            ValueError,
            RecursionError,
        ):  # the last: brackets nested without end
            return None

    def link(self, purpose: str, number: int) -> str:
        """An unguessable token for a URL that stands for row `number`."""
        head = number.to_bytes(8)
        return _encode(head + self._signature(purpose, head))

    def read_link(self, purpose: str, token: str) -> int | None:
        """The row a link stands for, or None if we never made it."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        head, signature = raw[:8], raw[8:]
        # One spelling a link: base64 would also take other padding bits.
        if _encode(raw) != token or not hmac.compare_digest(
            signature, self._signature(purpose, head)
        ):
            return None
        return int.from_bytes(head)

    def code(self, purpose: str, number: int) -> str:
        """Six digits that stand for row `number`: few enough to type, so tries must be counted."""
        digest = hmac.digest(self.derive(f"code: {purpose}"), number.to_bytes(8), hashlib.sha256)
        return f"{int.from_bytes(digest) % 1_000_000:06d}"

    def _signature(self, purpose: str, head: bytes) -> bytes:
        key = self.derive(f"link: {purpose}")
        return hmac.digest(key, head, hashlib.sha256)[:LINK_SIGNATURE_BYTES]


class Vault:
    """Keeps what must be sent again later and read by nobody else: encrypted, and bound to its
    place, so that a row's secret cannot be moved to another row."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def lock(self, secret: str, *, place: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), place.encode())

    def unlock(self, locked: bytes, *, place: str) -> str | None:
        """The secret, or None if it was locked with another key or for another place."""
        nonce, sealed = locked[:NONCE_BYTES], locked[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, place.encode()).decode()
        except (InvalidTag, ValueError):
            return None


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def new_refresh_token() -> str:
    return REFRESH_PREFIX + secrets.token_urlsafe(32)


def new_cookie() -> str:
    """What a browser's login is proved by."""
    return COOKIE_PREFIX + secrets.token_urlsafe(32)


def new_integration_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)


def new_ping_token() -> str:
    return PING_PREFIX + secrets.token_urlsafe(24)


def new_api_key() -> str:
    return api_key.sealed("".join(secrets.choice(ALPHANUMERIC) for _ in range(api_key.CHANCE)))


def new_webhook_secret() -> str:
    """What signs the calls of one subscription, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def hash_key(key: str) -> str:
    """How a key with its own 256 bits of chance is stored: a plain digest is enough."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
