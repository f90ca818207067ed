"""A provider's own word, called back to us, on what became of a message it took. Pure.

Who calls is not known before the signature was checked (Twilio) or the unguessable part of
the URL was (a gateway). Nothing in a call can raise; what makes no sense says nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from app.domain.notification import Receipt
from app.domain.receipt import as_id, lower_keys, read_gateway_status, read_twilio_status

_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_twilio_receipt(form: Mapping[str, str]) -> tuple[str | None, Receipt]:
    """The message that Twilio's StatusCallback is about, and what became of it."""
    provider_id = as_id(form.get("MessageSid") or form.get("SmsSid"))
    status = form.get("MessageStatus") or form.get("SmsStatus")
    return provider_id, read_twilio_status(status, form.get("ErrorCode"), form.get("ErrorMessage"))


def twilio_signature_is_good(
    auth_token: str, url: str, form: Mapping[str, str], signature: str
) -> bool:
    """Whether whoever signed this call knows our auth token (X-Twilio-Signature).

    `url` is the one Twilio was given. It signs some URLs with their default port and some
    without, so both count.
    """
    if not auth_token:
        return False
    fields = "".join(key + form[key] for key in sorted(form))
    given = signature.encode(errors="replace")
    good = [
        hmac.compare_digest(_sign(auth_token, spelling + fields), given)
        for spelling in _spellings(url)
    ]
    return any(good)


def read_gateway_receipt(document: object) -> tuple[str | None, Receipt]:
    """The message that a gateway's `{"id": …, "status": …, "error": …}` is about, and its fate."""
    return as_id(lower_keys(document).get("id")), read_gateway_status(document)


def _sign(auth_token: str, text: str) -> bytes:
    key, content = (part.encode(errors="surrogatepass") for part in (auth_token, text))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha1))


def _spellings(url: str) -> set[str]:
    """The URL as it is, and with its default port written out or left out."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return {url}
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or port not in (None, default):
        return {url}
    bare = parts.netloc if port is None else parts.netloc.removesuffix(f":{port}")
    netlocs = (bare, f"{bare}:{default}")
    return {url, *(urlunsplit(parts._replace(netloc=netloc)) for netloc in netlocs)}
