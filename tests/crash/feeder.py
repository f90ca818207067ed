"""Feeds the plan's alerts to whichever replica answers, and answers their incidents.

An alert whose answer was lost is sent again under the same dedup key: it may have been taken
in already, and must join its own incident then.
"""

import asyncio
import time
from typing import Any

from tests.crash.client import Client, RefusedError
from tests.crash.ledger import Accepted, Answered, Ledger
from tests.crash.plan import Alert
from tests.crash.scenario import SERVICE

WEBHOOK = "/v1/webhooks/alerts"


class Feeder:
    def __init__(self, client: Client, key: str, ledger: Ledger) -> None:
        self._client = client
        self._key = {"X-API-Key": key}
        self._ledger = ledger

    async def feed(self, alerts: tuple[Alert, ...], began: float) -> None:
        """All of it, each in its time; done when each was answered."""
        async with asyncio.TaskGroup() as tasks:
            for alert in alerts:
                tasks.create_task(self._live(alert, began))

    async def _live(self, alert: Alert, began: float) -> None:
        await asyncio.sleep(max(0.0, began + alert.at - time.time()))
        record = Accepted(alert.token, alert.severity, alert.team, first_request=time.time())
        self._ledger.accepted(record)
        try:
            record.answered_at = await self._send(alert, record)
        except RefusedError as error:
            record.refusal = str(error)
        self._ledger.changed(record)
        if record.refusal is None:
            await asyncio.gather(self._again(alert, record), self._answer(alert, record))

    async def _send(self, alert: Alert, record: Accepted, **changes: Any) -> float:
        body = {
            "title": f"Alert {alert.token}",
            "severity": alert.severity,
            "service": SERVICE,
            "dedup_key": alert.token,
            "labels": {"team": alert.team} if alert.team else {},
            **changes,
        }
        reply = await self._client.ask("POST", WEBHOOK, headers=self._key, json=body)
        record.tries += reply.tries
        receipt = reply.body["alerts"][0]
        if receipt["incident_id"] is not None:
            record.incidents.append(receipt["incident_id"])
        elif "status" not in changes:
            record.refusal = f"an alert became nothing: {receipt}"
        return reply.came_at

    async def _again(self, alert: Alert, record: Accepted) -> None:
        if alert.again is None:
            return
        await asyncio.sleep(alert.again)
        try:
            await self._send(alert, record)
        except RefusedError as error:
            record.refusal = str(error)
        self._ledger.changed(record)

    async def _answer(self, alert: Alert, record: Accepted) -> None:
        if alert.answer is None or not record.incidents:
            return
        await asyncio.sleep(alert.answer.after)
        # A try that was given up on may still be done, and open the problem anew once it is over.
        kind = alert.answer.kind if record.tries == 1 else "acknowledge"
        answered = Answered(alert.token, kind, first_request=time.time())
        self._ledger.answered(answered)
        try:
            answered.answered_at = await self._do(alert, kind, record)
        except RefusedError as error:
            answered.refusal = str(error)
        self._ledger.changed(answered)

    async def _do(self, alert: Alert, kind: str, record: Accepted) -> float:
        if kind == "recover":
            return await self._send(alert, record, status="resolved")
        path = f"/v1/incidents/{record.incidents[0]}/{kind}"
        return (await self._client.ask("POST", path)).came_at
