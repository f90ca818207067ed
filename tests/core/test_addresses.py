"""Addresses as operators write them, and the form in which they are kept."""

import pytest

from app.core.addresses import (
    callable_address,
    contact,
    covers_everything,
    is_of_this_machine,
    origins,
    proxies,
    shared_store,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", ""),
        ("*", "*"),
        ("https://console.example.org", "https://console.example.org"),
        ("https://a.example, https://b.example", "https://a.example,https://b.example"),
        ("https://a.example\nhttps://b.example", "https://a.example,https://b.example"),
        ("HTTPS://Console.Example.ORG/", "https://console.example.org"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://[::1]:5173", "http://[::1]:5173"),
    ],
)
def test_origins_are_kept_as_browsers_send_them(written: str, kept: str) -> None:
    assert origins(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        *(
            "console.example.org",
            "https://a.example/path",
            "https://a.example?x",
            "null",
            "https://",
        ),
        *("https://u:p@a.example", "https://a.example#x", "ftp://a.example", "https://*.example"),
        *("https://a.example:port", "https://a.example:0", "https://bücher.example"),
        *("https://a.example;https://b.example", "https://a.example, b.example", "https://@"),
    ],
)
def test_what_no_browser_sends_as_an_origin_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="must list origins such as"):
        origins(written)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", ""),
        ("127.0.0.1, 10.0.0.0/24 ::1", "127.0.0.1,10.0.0.0/24,::1"),
        ("fd00::/8", "fd00::/8"),
        ("10.0.0.1,*", "*"),
    ],
)
def test_proxies_are_addresses_and_networks(written: str, kept: str) -> None:
    assert proxies(written) == kept


@pytest.mark.parametrize("written", ["proxy", "10.0.0.1/24", "10.0.0.1:80", "10.0.0", "1.2.3.4/33"])
def test_what_the_server_would_take_for_a_name_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="must list addresses and networks"):
        proxies(written)


@pytest.mark.parametrize(
    "written",
    [
        "https://sms.example.org/send?key=x&to={to}",
        "http://user:password@10.0.0.5:8080/sms",
        "https://sms.example.org/messages/{id}",
    ],
)
def test_an_address_that_we_call_may_hold_a_login(written: str) -> None:
    assert callable_address(f" {written}\n") == written


@pytest.mark.parametrize("written", ["sms.example.org", "ftp://h", "https://", "https://a b", "x"])
def test_an_address_that_we_call_is_whole(written: str) -> None:
    with pytest.raises(ValueError, match="must be a web address"):
        callable_address(written)


@pytest.mark.parametrize("written", ["mailto:ops@example.org", "https://example.org/contact"])
def test_a_contact_is_a_mail_or_web_address(written: str) -> None:
    assert contact(f"{written} ") == written


@pytest.mark.parametrize(
    "written",
    ["ops@example.org", "mailto:", "mailto:ops", "http://example.org", "tel:+1", "mailto:a@b c"],
)
def test_another_contact_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="must be an address such as mailto:"):
        contact(written)


@pytest.mark.parametrize(
    "written",
    ["*", "0.0.0.0/0", "::/0", "10.0.0.0/8, ::/0", "128.0.0.0/1 0.0.0.0/1", "8000::/1,::/1"],
)
def test_some_lists_leave_nobody_out(written: str) -> None:
    assert covers_everything(written)


@pytest.mark.parametrize(
    "written", ["", "10.0.0.0/8", "0.0.0.0/1", "::1, 127.0.0.1/32", "nonsense"]
)
def test_other_lists_do(written: str) -> None:
    assert not covers_everything(written)


@pytest.mark.parametrize(
    ("written", "is_local"),
    [
        ("Tocsin <tocsin@localhost>", True),
        ("tocsin@LOCALHOST", True),
        ("tocsin@db1.localdomain", True),
        ("tocsin@x.localhost", True),
        ("Tocsin at localhost <tocsin@example.org>", False),
        ("tocsin@intranet.example", False),
    ],
)
def test_a_sender_of_this_machine_is_known(written: str, is_local: bool) -> None:
    assert is_of_this_machine(written) is is_local


@pytest.mark.parametrize(
    "written",
    [
        *("redis://redis.example.org", "redis://:s3cret@10.0.0.5:6379/0"),
        *("rediss://r.example:6380", "valkey://v.example", "valkeys://v.example:6380/1"),
        "unix:///run/redis.sock",
    ],
)
def test_a_shared_store_is_kept_as_it_is_written(written: str) -> None:
    assert shared_store(written) == written


@pytest.mark.parametrize(
    "written",
    [
        *("s3cret@redis.example", "http://s3cret@redis.example", "redis://s3cret@a b"),
        *("redis://", "unix:"),
    ],
)
def test_another_store_is_refused_and_not_quoted(written: str) -> None:
    with pytest.raises(ValueError, match="must be an address such as redis:") as caught:
        shared_store(written)
    assert "s3cret" not in str(caught.value)
