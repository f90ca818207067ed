"""Where a request to a user's URL may go: public addresses, and the networks an operator names.

A name is resolved once and every answer is checked; one bad answer refuses the name. The
caller then connects to an address it was given, so no later answer (DNS rebinding) counts.
What is public is written out here rather than asked of `ipaddress`, whose idea of it differs
between Python releases.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import httpx

from app.channels.plain import one_line
from app.core.errors import SetupError

IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

DEFAULT_PORTS = {"http": 80, "https": 443}

_CLOSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; cloud metadata at some providers
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments; cloud metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_OPEN_V6 = IPv6Network("2000::/3")  # all that is handed out; the rest is local or reserved
_CLOSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


class TargetRefusedError(Exception):
    """We will not send there."""


class TargetUnresolvedError(Exception):
    """The name has no address just now."""


@dataclass(frozen=True)
class Target:
    """A URL that may be asked for, once its addresses are checked."""

    url: httpx.URL
    host: str  # ASCII; an IPv6 literal without brackets
    port: int

    @property
    def provider(self) -> str:
        """Who is behind it: the host, and the port unless it goes without saying."""
        is_usual = self.port == DEFAULT_PORTS[self.url.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if is_usual else f"{host}:{self.port}"


def provider_of_url(url: str) -> str | None:
    """Who is behind a URL; None if it is none that we would ask for."""
    try:
        return parse_target(url).provider
    except TargetRefusedError:
        return None


@lru_cache(maxsize=256)  # whoever is about to be sent something is asked for more than once
def parse_target(url: str) -> Target:
    """The URL, if it is http or https to a host and carries no login; no error quotes it."""
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError):
        raise TargetRefusedError("This is no valid URL.") from None
    if parsed.scheme not in DEFAULT_PORTS:
        raise TargetRefusedError("The URL must begin with http:// or https://.")
    if parsed.userinfo:
        raise TargetRefusedError("The URL must not carry a user or password.")
    host = parsed.raw_host.decode("ascii")
    port = DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not host or "%" in host or not 0 < port < 65536:
        raise TargetRefusedError("The URL names no valid host and port.")
    return Target(parsed, host, port)


def parse_networks(text: str) -> tuple[Network, ...]:
    """`127.0.0.1/32, 10.0.0.0/8` as networks; a bare address is a network of one."""
    networks = []
    for part in text.replace(",", " ").split():
        try:
            networks.append(ip_network(part))
        except ValueError as exc:
            raise SetupError(
                f"TOCSIN_ALLOW_PRIVATE_TARGETS wants networks like 10.0.0.0/8, "
                f"separated by commas, not {one_line(part, 60)!r} ({one_line(str(exc), 100)})."
            ) from None
    return tuple(networks)


def embedded_v4(address: IPAddress) -> IPv4Address | None:
    """The IPv4 address inside an IPv4-mapped, 6to4 or NAT64 address."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def is_public(address: IPAddress) -> bool:
    """Whether anybody on the internet would reach the same machine at this address."""
    inner = embedded_v4(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


def is_permitted(address: IPAddress, allowed: Sequence[Network]) -> bool:
    """Whether a request may go there: it is public, or an operator allowed its network."""
    return is_public(address) or is_in(address, allowed)


def is_in(address: IPAddress, networks: Sequence[Network]) -> bool:
    """Whether one of the networks holds the address, or the IPv4 address inside it."""
    forms = (address, embedded_v4(address) or address)
    return any(form in network for network in networks for form in forms)


async def system_resolver(host: str, port: int) -> list[str]:
    """The system's addresses for a host, in its order of preference, off the event loop."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


async def lookup(target: Target, *, resolver: Resolver = system_resolver) -> list[IPAddress]:
    """The addresses of a target, best first, wherever they lead: for an operator's own URL."""
    literal = _literal(target.host)
    if literal is not None:
        return [literal]
    try:
        answers = await resolver(target.host, target.port)
        addresses = [ip_address(answer.partition("%")[0]) for answer in answers]
    except (OSError, ValueError):  # ValueError: a label no resolver can encode
        addresses = []
    if not addresses:
        raise TargetUnresolvedError(f"The name {one_line(target.host, 100)} cannot be resolved.")
    return list(dict.fromkeys(addresses))


async def resolve(
    target: Target, *, allowed: Sequence[Network], resolver: Resolver = system_resolver
) -> list[IPAddress]:
    """The addresses to connect to, best first; refused if a single one is not permitted."""
    addresses = await lookup(target, resolver=resolver)
    if not all(is_permitted(address, allowed) for address in addresses):
        # Which address it was stays unsaid: the URL's author need not learn our network.
        raise TargetRefusedError(
            f"{one_line(target.host, 100)} is not a public address, so nothing was sent; "
            "TOCSIN_ALLOW_PRIVATE_TARGETS can allow its network."
        )
    return addresses


def objection_to(url: str, *, allowed: Sequence[Network]) -> str | None:
    """Why nothing would be sent to a URL, if the address in it says so; None: it may be.

    What a name stands for may change until something is sent.
    """
    try:
        target = parse_target(url)
    except TargetRefusedError:
        return None  # what a URL must look like is for its schema to say
    literal = _literal(target.host)
    if literal is None or is_permitted(literal, allowed):
        return None
    return (
        f"{target.host} is not a public address, so nothing would be sent there; the setting"
        " TOCSIN_ALLOW_PRIVATE_TARGETS can allow its network."
    )


def _literal(host: str) -> IPAddress | None:
    """An address in its usual spelling; any other spelling is the resolver's to read."""
    try:
        return ip_address(host)
    except ValueError:
        return None
