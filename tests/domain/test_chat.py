"""Which chats a page may go to, and what of their URLs is shown."""

import pytest

from app.domain.chat import CHAT_SCHEMES, read_chat_url
from tests.domain.chats import CHATS


@pytest.mark.parametrize("url", CHATS.values(), ids=CHATS)
def test_every_kind_of_chat_is_read(url: str) -> None:
    address = read_chat_url(f"  {url}\n")
    assert address.url == url
    assert address.scheme == url.partition(":")[0]
    assert address.service_name == CHAT_SCHEMES[address.scheme].name
    assert address.own_host is (address.host is not None)


def test_there_is_an_example_of_every_kind() -> None:
    assert {url.partition(":")[0] for url in CHATS.values()} == set(CHAT_SCHEMES)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("ntfy://s3crettopic", None),
        ("ntfys://s3crettopic/", None),
        ("ntfys://Push.Example.org:8443/topic", "push.example.org"),
        ("mmosts://bot@chat.example.org/token/#ops", "chat.example.org"),
        ("gotify://10.0.0.7/token", "10.0.0.7"),
        ("workflows://prod-1.logic.example:443/wf/sig?pa=yes", "prod-1.logic.example"),
        ("zulip://bot@org.zulip.example/token/stream", "org.zulip.example"),
        ("SLACK://T1/B1/x", None),
        ("pover://user@token", None),
    ],
)
def test_the_host_is_known_where_the_url_names_it(url: str, host: str | None) -> None:
    assert read_chat_url(url).host == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hello",
        "https://hooks.slack.com/services/T/B/x",
        "json://example.org/",
        "jsons://example.org/",
        "xml://example.org/",
        "form://example.org/",
        "file:///etc/passwd",
        "syslog://",
        "dbus://",
        "mailto://user:pass@example.org",
        "apprise://example.org/token",
        "vapid://x@example.org",
        "twilio://AC:token@+1/+2",
        "ntfy:topic",
        "slack://",
    ],
)
def test_other_ways_out_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(Write the chat as a URL|No chat begins)"):
        read_chat_url(url)


@pytest.mark.parametrize(
    "option",
    [
        "attach=http://10.0.0.1/",
        "attach=x",
        "avatar_url=x",
        "mode=private",
        "overflow=split",
        "verify=no",
        "redirect=yes",
        "cto=900",
        "rto=900",
        "retry=5",
        "format=html",
        "template=x",
        "to=other",
        "priority=high&attach=x",
        "priority=high;attach=x",
        "priority=%68igh",
        "priority=",
        "priority",
        "Priority=high",
        "+priority=high",
        "priority=high&",
        "",
    ],
)
def test_no_option_changes_what_a_url_means(option: str) -> None:
    with pytest.raises(ValueError, match=r"option after its \? .*allowed: priority"):
        read_chat_url(f"ntfys://push.example.org/topic?{option}")


@pytest.mark.parametrize(
    "url",
    [
        "mmosts://chat.example.org@evil.example@x/token",
        "mmosts://chat.example.org%2Fx/token",
        "mmosts://chat.example.org:8065x/token",
        "mmosts://[::1]/token",
        "mmosts:///token",
        "mmosts://@chat.example.org/token",
        "mmosts://chat.example.org#@evil.example/token",
        "mmosts://chat.example.org/#ops#x",
        "mmosts://chat.example.org/#ops?attach=x",
        "mmosts://chat.example.org/a?channel=x?attach=y",
        "mmosts://chat.example.org\\@evil.example/token",
        "mmosts://chat.example.org/to ken",
        "mmosts://chat.example.org/to\tken",
        "mmosts://chat.exämple.org/token",
        "mmosts://{host}/token",
        "rockets://aaaa/bbbb@chat.example.org",
        "ntfys://push.example.org/" + "x" * 2000,
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL"):
        read_chat_url(url)


@pytest.mark.parametrize(
    "url", ["matrixs://m.example/#r", "matrixs://u:p@m.example/#r", "matrixs://token@m.example"]
)
def test_matrix_wants_a_token_and_a_room(url: str) -> None:
    with pytest.raises(ValueError, match="access-token@host/#room"):
        read_chat_url(url)


def test_a_zulip_is_named_in_full() -> None:
    with pytest.raises(ValueError, match="whole host"):
        read_chat_url("zulip://bot@org/token")


def test_a_label_tells_chats_apart_and_nothing_else() -> None:
    first = read_chat_url("mmosts://s3crbot@chat.example.org/s3crettoken1")
    again = read_chat_url("MMOSTS://s3crbot@chat.example.org/s3crettoken1")
    other = read_chat_url("mmosts://s3crbot@chat.example.org/s3crettoken2")
    assert first.label == again.label
    assert first.label.startswith("Mattermost (mmosts://chat…, ")
    assert first.label != other.label
    for url in ("ntfys://s3crettopic", "slack://s3crT/s3crB/s3cret", "tgram://s3cr:et/1"):
        assert "s3cr" not in read_chat_url(url).label
    assert "s3cr" not in first.label + repr(first)
    assert all(len(read_chat_url(url).label) <= 60 for url in CHATS.values())


@pytest.mark.parametrize(
    "url",
    [
        "s3cret://x",
        "ntfys://s3cret s3cret/x",
        "ntfys://a@b@s3cret/x",
        "ntfys://h/x?s3cret=s3cret",
        "matrixs://u:s3cret@m.example/#r",
        "s3cret",
    ],
)
def test_no_refusal_quotes_the_url(url: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        read_chat_url(url)
    assert "s3cret" not in str(caught.value)
