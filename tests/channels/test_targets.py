"""Which addresses an outgoing request may reach, in every disguise they come in."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from app.channels.targets import (
    TargetRefusedError,
    TargetUnresolvedError,
    is_permitted,
    is_public,
    objection_to,
    parse_networks,
    parse_target,
    resolve,
    system_resolver,
)
from app.core.errors import SetupError

PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
    "2002:101:101::1",  # 6to4 of 1.1.1.1
]
PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",  # IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",  # IPv4-translated
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1.1.1.1",  # local-use NAT64
    "100::1",
    "2001::1",  # Teredo
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",  # of 10.0.0.1
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(ip_address(address))
    assert is_permitted(ip_address(address), ())


@pytest.mark.parametrize("address", PRIVATE)
def test_not_public(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not is_permitted(ip_address(address), parse_networks("192.168.77.0/24"))
    everything = parse_networks("0.0.0.0/0 ::/0")
    assert is_permitted(ip_address(address), everything)


def test_an_allowed_network_covers_the_disguises_of_its_addresses() -> None:
    allowed = parse_networks("10.0.0.0/8")
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"):
        assert is_permitted(ip_address(address), allowed)
    assert not is_permitted(ip_address("::ffff:127.0.0.1"), allowed)


def test_networks_are_read_from_one_line() -> None:
    read = parse_networks(" 127.0.0.1/32,10.0.0.0/8 ,fd00::/8, 192.168.1.5 ")
    assert [str(n) for n in read] == ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8", "192.168.1.5/32"]
    assert parse_networks("") == parse_networks(" , ") == ()


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "localhost", "10.0.0.0/33", "10/8", "10.0.0.0/8;::1"]
)
def test_a_bad_network_is_one_sentence(text: str) -> None:
    with pytest.raises(SetupError, match=r"^TOCSIN_ALLOW_PRIVATE_TARGETS wants networks .*\.$"):
        parse_networks(text)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://Example.ORG/x?y=z#f", "example.org", 443),
        ("http://example.org:8080", "example.org", 8080),
        ("http://[2001:4860::1]/", "2001:4860::1", 80),
        ("https://bücher.example/", "xn--bcher-kva.example", 443),
    ],
)
def test_a_url_names_a_host_and_port(url: str, host: str, port: int) -> None:
    target = parse_target(url)
    assert (target.host, target.port) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://",
        "http:///path",
        "http://s3cret:s3cret@example.org/",
        "http://s3cret@example.org/",
        "http://example.org\\@s3cret.example/",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http://example.org:s3cret/",
        "http://a b.example/",
        "http://[fe80::1%25eth0]/",
        "http://example\r\n.org/",
        "http://[::1/",
    ],
)
def test_what_is_no_plain_web_url_is_refused_unquoted(url: str) -> None:
    with pytest.raises(TargetRefusedError) as caught:
        parse_target(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.1", "[::1]", "[::ffff:7f00:1]", "0"],
)
async def test_a_loopback_address_is_seen_through_however_written(host: str) -> None:
    with pytest.raises(TargetRefusedError, match="TOCSIN_ALLOW_PRIVATE_TARGETS"):
        await resolve(parse_target(f"http://{host}/"), allowed=())


@pytest.mark.parametrize("address", PRIVATE)
def test_a_url_that_is_a_private_address_says_so_itself(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    url = f"https://{host}:8443/hook"
    assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in str(objection_to(url, allowed=()))
    assert objection_to(url, allowed=parse_networks(address)) is None


@pytest.mark.parametrize("host", [PUBLIC[0], "[2606:4700::1111]", "localhost", "desk.internal"])
def test_a_public_address_or_a_name_is_not_objected_to(host: str) -> None:
    assert objection_to(f"http://{host}/hook", allowed=()) is None


async def test_one_bad_address_refuses_the_name_unless_allowed() -> None:
    async def both(host: str, port: int) -> Sequence[str]:
        return ["1.1.1.1", "10.0.0.1", "1.1.1.1"]

    target = parse_target("http://both.example/")
    with pytest.raises(TargetRefusedError) as caught:
        await resolve(target, allowed=(), resolver=both)
    assert "10.0.0.1" not in str(caught.value)
    found = await resolve(target, allowed=parse_networks("10.0.0.0/8"), resolver=both)
    assert [str(address) for address in found] == ["1.1.1.1", "10.0.0.1"]


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".example", "..."])
async def test_a_name_without_an_address_is_unresolved(host: str) -> None:
    with pytest.raises(TargetUnresolvedError, match="cannot be resolved"):
        await resolve(parse_target(f"http://{host}/"), allowed=())


async def test_no_answer_at_all_is_unresolved() -> None:
    async def nothing(host: str, port: int) -> Sequence[str]:
        return []

    with pytest.raises(TargetUnresolvedError):
        await resolve(parse_target("http://empty.example/"), allowed=(), resolver=nothing)


async def test_the_system_knows_localhost() -> None:
    assert {"127.0.0.1", "::1"} & set(await system_resolver("localhost", 80))
