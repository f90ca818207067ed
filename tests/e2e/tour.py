"""What a step of the tour may use, and what is noted of every call it makes."""

import email
import email.policy
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 20.0  # seconds; for what the loops do, not for an answer


@dataclass
class Caller:
    """Somebody with a login."""

    id: int
    email: str
    password: str
    headers: dict[str, str] = field(default_factory=dict)
    refresh_token: str = ""


@dataclass(frozen=True)
class Call:
    """One request and its answer."""

    route: str
    status: int
    milliseconds: float


class Wrong(Exception):  # noqa: N818  # a finding, told to a person
    """The service did not do what it should."""


def check(holds: object, sentence: str) -> None:
    if not holds:
        raise Wrong(sentence)


class Tour:
    """One run against one server. Everything it makes bears the run's own mark."""

    def __init__(self, http: httpx.Client, outbox: Path | None, *, is_guess: bool = False) -> None:
        self.http = http
        keeps_mail = http.get("/health").json()["channels"]["email"] == "outbox"
        self.outbox = outbox if keeps_mail else None  # with a mail server, mail is elsewhere
        self.outbox_is_guess = is_guess
        self.mark = f"e2e-{secrets.token_hex(4)}"
        self.calls: list[Call] = []
        self.people: dict[str, Caller] = {}
        self.ids: dict[str, Any] = {}
        self.keys: dict[str, str] = {}
        self.skipped: list[str] = []
        self._cleaning: list[Callable[[], object]] = []
        self.document = http.get("/openapi.json").raise_for_status().json()
        self.routes = {
            f"{method.upper()} {path}"
            for path, operations in self.document["paths"].items()
            for method in operations
        }
        self._patterns = [
            (route, re.compile(re.sub(r"\{\w+\}", "[^/]+", route)))
            for route in sorted(self.routes, key=lambda route: route.count("{"))
        ]

    # --- calls

    def send(self, method: str, path: str, who: Caller | None = None, **kw: Any) -> httpx.Response:
        """Whatever comes back."""
        headers = {**(who.headers if who else {}), **kw.pop("headers", {})}
        started = time.perf_counter()
        answer = self.http.request(method, path, headers=headers, **kw)
        while answer.status_code == 429 and answer.json()["code"] == "RATE_LIMITED":
            time.sleep(int(answer.headers["retry-after"]))  # a server that runs has its limits on
            answer = self.http.request(method, path, headers=headers, **kw)
        took = (time.perf_counter() - started) * 1000
        self.calls.append(Call(self._route(method, path), answer.status_code, took))
        return answer

    def call(
        self,
        method: str,
        path: str,
        who: Caller | None = None,
        *,
        expect: int = 200,
        code: str | None = None,
        **kw: Any,
    ) -> Any:
        """The JSON of an answer that must have this status, and this code if it is a refusal."""
        answer = self.send(method, path, who, **kw)
        check(
            answer.status_code == expect,
            f"{method} {path} answered {answer.status_code}, not {expect}: {answer.text[:300]}",
        )
        body = answer.json() if answer.content else None
        if expect >= 400:
            check(
                set(body) == {"code", "message", "request_id", "details"},
                f"{method} {path} refused in a shape of its own: {answer.text[:300]}",
            )
        if code is not None:
            check(body["code"] == code, f"{method} {path} refused with {body['code']}, not {code}")
        return body

    def _route(self, method: str, path: str) -> str:
        asked = f"{method} {path.partition('?')[0]}"
        for route, pattern in self._patterns:
            if pattern.fullmatch(asked):
                return route
        return asked

    # --- people and things

    def log_in(self, name: str, email: str, password: str) -> Caller:
        credentials = {"username": email, "password": password}
        pair = self.call("POST", "/v1/auth/login/access-token", json=credentials)
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        me = self.call("GET", "/v1/users/me", headers=headers)
        caller = Caller(me["id"], email, password, headers, pair["refresh_token"])
        self.people[name] = caller
        return caller

    def person(self, name: str, role: str) -> Caller:
        """A new account of this role, logged in."""
        email, password = f"{name}.{self.mark}@example.test", secrets.token_urlsafe(12)
        body = {"email": email, "password": password, "role": role, "full_name": name.title()}
        made = self.call("POST", "/v1/users", self.people["admin"], expect=201, json=body)
        self.later("DELETE", f"/v1/users/{made['id']}")
        return self.log_in(name, email, password)

    def incident(self, who: Caller, **fields: Any) -> dict[str, Any]:
        body = {"title": "Disk full", "severity": "high", "service": self.mark, **fields}
        made: dict[str, Any] = self.call("POST", "/v1/incidents", who, expect=201, json=body)
        number = made["id"]
        self.later("DELETE", f"/v1/incidents/{number}?confirm={number}")
        return made

    # --- what others do meanwhile

    def until(self, look: Callable[[], Any], sentence: str) -> Any:
        """What `look` finds, as soon as it finds something."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise Wrong(sentence)

    def mail_to(self, address: str, pattern: str) -> str:
        """What `pattern` finds in the newest mail to this address, from the local outbox."""
        if self.outbox is None:
            raise NoMail
        folder = self.outbox

        def look() -> str | None:
            for path in sorted(folder.glob("*.eml"), key=lambda p: p.stat().st_mtime, reverse=True):
                mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                body = mail.get_body(("plain",))
                if address in str(mail["to"]) and body is not None:
                    found = re.search(pattern, str(body.get_content()))
                    if found:
                        return found.group(1)
            return None

        try:
            found: str = self.until(look, f"No mail to {address} came to {folder}")
        except Wrong:
            if self.outbox_is_guess:
                raise NoMail from None
            raise
        return found

    # --- leaving as we came

    def later(self, method: str, path: str, **kw: Any) -> None:
        """To be done at the end, whatever happens before; the last comes first."""
        self._cleaning.append(lambda: self.send(method, path, self.people["admin"], **kw))

    def clean_up(self) -> None:
        for step in reversed(self._cleaning):
            step()


class NoMail(Exception):  # noqa: N818
    """Mail cannot be read here, so this step is left out."""
