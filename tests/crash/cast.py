"""Makes the people, their addresses and rules, the policies and the subscriptions of `scenario`,
over the API."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from tests.crash.client import Client
from tests.crash.scenario import (
    HOOK,
    MAIL,
    PEOPLE,
    POLICIES,
    SERVICE,
    SUBSCRIPTIONS,
    TOLD,
    Person,
    Policy,
    Rule,
)
from tests.crash.sinks import Sink

CODE_IN_JSON = re.compile(r'"code":"(\d{6})"')
CHANNELS = {MAIL: "email", HOOK: "webhook"}
PATIENCE = 30.0


@dataclass(frozen=True)
class Sinks:
    mail: Sink
    hook: Sink
    hook_url: str

    def of(self, channel: str) -> Sink:
        return self.mail if channel == MAIL else self.hook


async def make_people(client: Client, sinks: Sinks) -> dict[str, int]:
    """Everybody, with verified addresses, their rules and switches; their ids."""
    ids = {}
    for person in PEOPLE.values():
        body = {"email": person.address(MAIL), "password": "long enough for this"}
        made = await client.ask("POST", "/v1/users", json=body)
        ids[person.name] = made.body["id"]
        await _equip(client, sinks, person, made.body["id"])
    return ids


async def make_policies(client: Client, sinks: Sinks, ids: dict[str, int]) -> None:
    for policy in POLICIES:
        await client.ask("POST", "/v1/escalation/policies", json=_policy(policy, sinks, ids))


async def make_subscriptions(client: Client, url: str) -> list[int]:
    """All of them, at a sink; their ids."""
    ids = []
    for one in SUBSCRIPTIONS:
        body = {
            "name": one.name,
            "url": url + one.address,
            "event_types": TOLD,
            "services": [SERVICE],
            "severities": one.severities,
        }
        ids.append((await client.ask("POST", "/v1/webhook-subscriptions", json=body)).body["id"])
    return ids


async def make_tool(client: Client) -> str:
    """An integration's key."""
    body = {"name": "crash test", "kind": "alerts"}
    made = await client.ask("POST", "/v1/integrations", json=body)
    return str(made.body["key"])


async def _equip(client: Client, sinks: Sinks, person: Person, user_id: int) -> None:
    methods_path = f"/v1/users/{user_id}/contact-methods"
    there = await client.ask("GET", methods_path)
    methods = {MAIL: there.body["items"][0]["id"]}  # an account's own address is verified
    if any(rule.channel == HOOK for rule in person.rules):
        methods[HOOK] = await _add_hook(client, sinks, person, methods_path)
    rules = {"items": [_rule(rule, methods) for rule in person.rules]}
    await client.ask("PUT", f"/v1/users/{user_id}/notification-rules", json=rules)
    if person.switched_off:
        off = {"channels": {CHANNELS[channel]: False for channel in person.switched_off}}
        await client.ask("PUT", f"/v1/notification-preferences/{user_id}", json=off)


async def _add_hook(client: Client, sinks: Sinks, person: Person, path: str) -> int:
    address = person.address(HOOK)
    body = {"channel": "webhook", "url": sinks.hook_url + address}
    made = await client.ask("POST", path, json=body)
    async with asyncio.timeout(PATIENCE):
        while address not in sinks.hook.letters:
            await asyncio.sleep(0.05)
    code = CODE_IN_JSON.search(sinks.hook.letters[address])
    assert code is not None
    await client.ask("POST", f"{path}/{made.body['id']}/verify", json={"code": code[1]})
    return int(made.body["id"])


def _rule(rule: Rule, methods: dict[str, int]) -> dict[str, Any]:
    return {
        "contact_method_id": methods[rule.channel],
        "delay_minutes": rule.delay / 60,
        "min_severity": rule.min_severity,
    }


def _policy(policy: Policy, sinks: Sinks, ids: dict[str, int]) -> dict[str, Any]:
    steps = []
    for step in policy.steps:
        actions: list[dict[str, Any]] = [
            {"type": "notify", "target": {"user": ids[name]}} for name in step.people
        ]
        if step.hook is not None:
            actions.append({"type": "webhook", "url": sinks.hook_url + step.hook})
        steps.append({"delay_minutes": step.delay / 60, "actions": actions})
    return {
        "name": policy.name,
        "conditions": policy.conditions,
        "steps": steps,
        "repeat": policy.repeat,
        "final_delay_minutes": policy.final / 60,
    }
