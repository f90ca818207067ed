"""Addresses as operators write them into settings: read, put into one form, or refused.

What is refused is a ValueError whose text completes “The setting … is wrong: ”, and never
quotes the address, which may hold a password.
"""

import re
from collections.abc import Iterator
from email.utils import parseaddr
from ipaddress import (
    IPv4Network,
    IPv6Network,
    collapse_addresses,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit

ANY = "*"
DEFAULT_PORTS = {"http": 80, "https": 443}
STORES = ("redis", "rediss", "valkey", "valkeys", "unix")
HOST = re.compile("[a-z0-9._-]+|[0-9a-f:.]+")


def listed(text: str) -> list[str]:
    """The members of a list that is written with commas, blanks, or both."""
    return text.replace(",", " ").split()


def web_address(url: str) -> str:
    """Where people or programs reach a service, without a slash at its end."""
    parts = _parts(url)
    if not _is_whole(parts) or re.search(r"[?#@]", parts.geturl()):
        raise ValueError("must be a web address such as https://tocsin.example.org")
    return parts.geturl().rstrip("/")


def callable_address(url: str) -> str:
    """A web address that may hold a login and a query, because only we ask for it."""
    parts = _parts(url)
    if not _is_whole(parts) or parts.fragment:
        raise ValueError("must be a web address such as https://sms.example.org/send")
    return parts.geturl()


def origins(text: str) -> str:
    """Origins in the very form in which browsers send them, or `*`."""
    return ",".join(part if part == ANY else _origin(part) for part in listed(text))


def _origin(text: str) -> str:
    parts = _parts(text)
    is_bare = parts.path in ("", "/") and not re.search(r"[?#@]", text)
    if not _is_whole(parts) or not is_bare or not HOST.fullmatch(parts.hostname or ""):
        raise ValueError(
            "must list origins such as https://console.example.org, separated by commas:"
            " scheme, host and port, nothing after them (international names as xn--…)"
        )
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    is_usual = parts.port in (None, DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{parts.port}")


def proxies(text: str) -> str:
    """Addresses and networks of proxies, or `*`; names are refused, because they could change."""
    for part in listed(text):
        try:
            if part != ANY:
                ip_network(part)
        except ValueError:
            raise ValueError(
                "must list addresses and networks such as 10.0.0.5 or 10.0.0.0/24, separated by"
                " commas; a network’s address ends in zeros"
            ) from None
    # By its own rules the server would read `*` beside others as a name.
    return ANY if ANY in listed(text) else ",".join(listed(text))


def shared_store(url: str) -> str:
    """Where a Redis or Valkey is."""
    parts = _parts(url)
    is_whole = bool(parts.path if parts.scheme == "unix" else parts.hostname)
    if parts.scheme not in STORES or not is_whole or re.search(r"\s", url.strip()):
        raise ValueError("must be an address such as redis://:password@redis.example.org:6379/0")
    return url.strip()


def contact(text: str) -> str:
    """Where a push service reaches an operator: `mailto:` or `https:`."""
    text = text.strip()
    if text.startswith("mailto:") and re.fullmatch(r"[^\s@]+@[^\s@]+", text[7:]):
        return text
    parts = _parts(text)
    if parts.scheme == "https" and _is_whole(parts):
        return text
    raise ValueError("must be an address such as mailto:ops@example.org or https://example.org")


def covers_everything(text: str) -> bool:
    """Whether these networks, together, leave nobody out."""
    return ANY in listed(text) or any(network.prefixlen == 0 for network in _joined(text))


def is_of_this_machine(mail_address: str) -> bool:
    """Whether a mail address, with or without a name before it, means something only here."""
    domain = parseaddr(mail_address)[1].rpartition("@")[2].lower()
    return domain == "localhost" or domain.endswith((".localhost", ".localdomain"))


def _joined(text: str) -> Iterator[IPv4Network | IPv6Network]:
    networks = [network for part in listed(text) if (network := _network(part)) is not None]
    yield from collapse_addresses(n for n in networks if isinstance(n, IPv4Network))
    yield from collapse_addresses(n for n in networks if isinstance(n, IPv6Network))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None  # whoever reads the list for what it is for refuses it


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018  # reading it is what finds a port that is none
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def _is_whole(parts: SplitResult) -> bool:
    is_printable = parts.geturl().isprintable() and not re.search(r"\s", parts.geturl())
    return bool(
        parts.scheme in DEFAULT_PORTS and parts.hostname and parts.port != 0 and is_printable
    )
