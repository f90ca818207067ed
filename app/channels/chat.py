"""Pages to a chat, through Apprise: the one channel that we do not speak ourselves.

Which chats there are is `app.domain.chat`'s to say, and it is asked again for every message.
Where the URL names a host, that host must be public or in a network that an operator allowed,
as for webhooks. Three corners stay, because Apprise makes its own connections: it resolves the
name once more (a name server that answers differently within a second can point it at a
private address), it uses a proxy that the environment names, and it reads an answer whole (a
host that never ends one keeps a thread of Apprise's own pool until it hangs up; `_Crowd` lets
no host keep them all). It follows no redirect, and its own clocks run out before ours.

Apprise says only whether a chat took the page, so a failure is always tried again; and a chat
knows no mark, so a resend after a lost answer may show twice. Its log and its HTTP library's
quote URLs, which are secrets: neither is heard.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import apprise
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.flock import NotifyFlock
from apprise.plugins.google_chat import NotifyGoogleChat
from apprise.plugins.gotify import NotifyGotify
from apprise.plugins.lark import NotifyLark
from apprise.plugins.line import NotifyLine
from apprise.plugins.matrix import NotifyMatrix
from apprise.plugins.mattermost import NotifyMattermost
from apprise.plugins.ntfy import NotifyNtfy
from apprise.plugins.pushbullet import NotifyPushBullet
from apprise.plugins.pushover import NotifyPushover
from apprise.plugins.rocketchat import NotifyRocketChat
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram
from apprise.plugins.webexteams import NotifyWebexTeams
from apprise.plugins.workflows import NotifyWorkflows
from apprise.plugins.zulip import NotifyZulip

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sent
from app.channels.plain import one_line
from app.channels.targets import (
    Network,
    Resolver,
    TargetRefusedError,
    TargetUnresolvedError,
    parse_target,
    resolve,
    system_resolver,
)
from app.domain.chat import ChatAddress, read_chat_url
from app.domain.notification import Channel

logging.getLogger("apprise").disabled = True
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)  # and those below it

# By class, not by Apprise's own look-up, which would load some 170 services to find one.
SERVICES: dict[str, type[apprise.NotifyBase]] = {
    "dingtalk": NotifyDingTalk,
    "discord": NotifyDiscord,
    "feishu": NotifyFeishu,
    "flock": NotifyFlock,
    "gchat": NotifyGoogleChat,
    "gotify": NotifyGotify,
    "gotifys": NotifyGotify,
    "lark": NotifyLark,
    "line": NotifyLine,
    "matrix": NotifyMatrix,
    "matrixs": NotifyMatrix,
    "mmost": NotifyMattermost,
    "mmosts": NotifyMattermost,
    "ntfy": NotifyNtfy,
    "ntfys": NotifyNtfy,
    "pbul": NotifyPushBullet,
    "pover": NotifyPushover,
    "rocket": NotifyRocketChat,
    "rockets": NotifyRocketChat,
    "slack": NotifySlack,
    "tgram": NotifyTelegram,
    "webex": NotifyWebexTeams,
    "workflow": NotifyWorkflows,
    "workflows": NotifyWorkflows,
    "wxteams": NotifyWebexTeams,
    "zulip": NotifyZulip,
}


class ChatSender:
    """Hands each message to the chat whose URL is its secret."""

    channel: Channel = Channel.CHAT
    has_many_providers = True

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        timeout: timedelta = timedelta(seconds=15),
        concurrency: int = 4,
        resolver: Resolver = system_resolver,
    ) -> None:
        self.timeout = timeout
        self.concurrency = concurrency
        self._allowed = tuple(allowed)
        self._resolver = resolver
        self._crowd = _Crowd(concurrency)
        self._asset = apprise.AppriseAsset(
            app_id="Tocsin",
            app_desc="Tocsin",
            app_url="",
            image_url_mask="",  # no pictures from elsewhere
            image_url_logo="",
            http_redirects=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
            interpret_emojis=False,
        )

    async def send(self, message: Message) -> Outcome:
        """Post the subject and the text, or say why that did not work."""
        try:
            address = read_chat_url(message.secret or "")
        except ValueError as exc:
            return GaveUp(one_line(f"The chat cannot be used: {exc}"))
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                return await self._post(address, message)
        except TargetRefusedError as exc:
            return GaveUp(one_line(str(exc)))
        except TargetUnresolvedError as exc:
            return RetryLater(one_line(str(exc)))
        except TimeoutError:
            seconds = self.timeout.total_seconds()
            return RetryLater(f"{address.service_name} did not answer within {seconds:g} s.")

    def provider_of(self, message: Message) -> str | None:
        """The host that the chat's URL names, or the service behind it."""
        try:
            address = read_chat_url(message.secret or "")
        except ValueError:
            return None
        return address.host or address.service_name

    def state(self) -> str:
        """`ready`: each message finds out anew whether its chat is there."""
        return "ready"

    async def close(self) -> None:
        """Nothing is held between messages."""

    async def _post(self, address: ChatAddress, message: Message) -> Outcome:
        service = self._instantiate(address)
        if service is None:
            return GaveUp(
                f"The {address.service_name} URL is not complete: set up the chat anew, as "
                "Apprise describes it."
            )
        if address.host is not None:
            target = parse_target(f"https://{address.host}/")
            await resolve(target, allowed=self._allowed, resolver=self._resolver)
        if self._crowd.is_full(service.host):
            said = f"{address.service_name} has not finished answering earlier pages."
            return RetryLater(said, is_about_message=True)
        setattr(service, "send", self._crowd.counted(service.host, service.send))  # noqa: B010
        chat = apprise.Apprise(asset=self._asset)
        chat.add(service)
        result = await chat.async_notify(
            title=one_line(message.subject, 200),
            body=message.text,
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=apprise.NotifyType.WARNING,
        )
        if result:
            return Sent()
        said = f"{address.service_name} did not take it: check the chat's URL."
        return RetryLater(said, is_about_message=True)  # the URL may well be what is wrong

    def _instantiate(self, address: ChatAddress) -> apprise.NotifyBase | None:
        """Apprise's service for a URL, if it means the same host by it as we do."""
        seconds = self.timeout.total_seconds()
        options = {
            "cto": f"{seconds / 4:g}",
            "rto": f"{seconds / 2:g}",
            "overflow": "truncate",  # a cut page is better than one refused for its length
            "discovery": "no",  # of a Matrix server: whoever answers would name another host
            "e2ee": "no",
        }
        query = "&".join(f"{key}={value}" for key, value in options.items())
        joint = "&" if "?" in address.url else "?"
        url = address.url.replace("/#", "/%23") + joint + query
        kind = SERVICES[address.scheme]
        try:
            service = kind(**(kind.parse_url(url) or {}), asset=self._asset)
        except Exception:  # each service has its own way to say that a URL is not complete
            return None
        if address.host is not None and str(service.host).lower() != address.host:
            return None
        return service


class _Crowd:
    """How many threads each host keeps, those we no longer wait for too."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()

    def is_full(self, host: str) -> bool:
        return self._busy[host] >= self._most

    def counted(self, host: str, send: Callable[..., bool]) -> Callable[..., bool]:
        """`send`, counted for as long as it runs."""

        def run(**arguments: Any) -> bool:
            with self._lock:
                self._busy[host] += 1
            try:
                return send(**arguments)
            finally:
                with self._lock:
                    self._busy[host] -= 1

        return run
