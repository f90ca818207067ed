"""The replicas of a run: complete services and workers, killed without a word and started again.

A slot is a place for one replica after another: it has a port, and what it sends bears the
port (links lead there), so that every message tells which slot sent it.
"""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.crash.ledger import Fault, Ledger

ROOT = Path(__file__).parents[2]
LOOK_EVERY = 0.1
START_PATIENCE = 30.0
RESTART_AFTER = 1.0  # as whoever supervises services does


@dataclass
class Slot:
    """One place. `pid` is who is in it now; `is_up` is set while that one is ready."""

    number: int
    command: str  # serve, or worker
    port: int
    log: Path
    pid: int | None = None
    is_up: asyncio.Event = field(default_factory=asyncio.Event)
    has_ended: asyncio.Event = field(default_factory=asyncio.Event)
    ended_itself: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Fleet:
    """All replicas of a run. What ends is started again, whoever ended it."""

    def __init__(self, slots: list[Slot], environment: Mapping[str, str], ledger: Ledger) -> None:
        self.slots = slots
        self._environment = dict(environment)
        self._ledger = ledger
        self._nursery: Process | None = None
        self._asking = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_over = False
        self.ended_by_themselves = 0

    async def open(self, bug: str | None) -> None:
        """Open the nursery, with this bug in every replica."""
        self._nursery = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.crash.nursery", *([bug] if bug else []),
            cwd=ROOT, env=self._environment, stdin=PIPE, stdout=PIPE, start_new_session=True,
        )  # fmt: skip
        await self._answer()

    async def start(self) -> None:
        """Start one after another (the first migrates), and keep all of them going."""
        for slot in self.slots:
            await self._start(slot)
            await asyncio.wait_for(slot.is_up.wait(), START_PATIENCE)
        self._tasks = [asyncio.create_task(self._keep_going(slot)) for slot in self.slots]
        self._tasks.append(asyncio.create_task(self._bury()))

    async def kill(self, slot: Slot, what: str) -> bool:
        """kill -9 of the whole process group, if the slot's replica is at work; say whether."""
        if slot.pid is None or not slot.is_up.is_set():
            return False
        pid, began = slot.pid, time.time()
        slot.is_up.clear()
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self._ledger.faulted(Fault("kill", what, began, time.time(), slot.port))
        return True

    async def all_up(self) -> None:
        for slot in self.slots:
            await slot.is_up.wait()

    async def close(self) -> None:
        """End everything at once: nothing that is still under way counts any more."""
        self._is_over = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._nursery is not None and self._nursery.stdin is not None:
            self._nursery.stdin.close()  # it takes its children with it
            await self._nursery.wait()

    async def _keep_going(self, slot: Slot) -> None:
        while True:
            await slot.has_ended.wait()
            slot.is_up.clear()
            if slot.ended_itself:  # there was no database to start on
                await asyncio.sleep(RESTART_AFTER)
            await self._start(slot)

    async def _start(self, slot: Slot) -> None:
        slot.has_ended.clear()
        since, said = time.time(), slot.log.stat().st_size if slot.log.exists() else 0
        port = ["--port", str(slot.port)] if slot.command == "serve" else []
        answer = await self._ask(
            do="start",
            arguments=[slot.command, *port],
            environment=self._environment | {"PORT": str(slot.port)},
            log=str(slot.log),
        )
        slot.pid = answer["pid"]
        self._tasks.append(asyncio.create_task(self._see_it_up(slot, since, said)))

    async def _see_it_up(self, slot: Slot, since: float, said: int) -> None:
        pid = slot.pid
        async with httpx.AsyncClient(timeout=5, trust_env=False, verify=False) as client:
            while slot.pid == pid and not slot.has_ended.is_set():
                if await self._is_ready(slot, client, said):
                    self._ledger.started(time.time() - since)
                    slot.is_up.set()
                    return
                await asyncio.sleep(LOOK_EVERY)

    async def _is_ready(self, slot: Slot, client: httpx.AsyncClient, said: int) -> bool:
        if slot.command == "worker":
            if not slot.log.exists():
                return False
            with slot.log.open("rb") as log:
                log.seek(said)
                return b"The loops are running" in log.read()
        with suppress(httpx.HTTPError):
            return (await client.get(f"{slot.url}/ready")).status_code == 200
        return False

    async def _bury(self) -> None:
        """Notice who has ended, and how."""
        while True:
            ended = (await self._ask(do="reap"))["ended"]
            for slot in self.slots:
                status = ended.get(str(slot.pid))
                if status is not None:
                    slot.is_up.clear()
                    slot.ended_itself = status != -signal.SIGKILL
                    self.ended_by_themselves += slot.ended_itself
                    slot.has_ended.set()
            await asyncio.sleep(LOOK_EVERY / 2)

    async def _ask(self, **asked: Any) -> dict[str, Any]:
        async with self._asking:
            assert self._nursery is not None
            assert self._nursery.stdin is not None
            self._nursery.stdin.write(json.dumps(asked).encode() + b"\n")
            await self._nursery.stdin.drain()
            return await self._answer()

    async def _answer(self) -> dict[str, Any]:
        assert self._nursery is not None
        assert self._nursery.stdout is not None
        # Not `wait_for`: before Python 3.12 it may swallow a cancellation, and nothing would end.
        async with asyncio.timeout(START_PATIENCE):
            line = await self._nursery.stdout.readline()
        if not line:
            raise RuntimeError("The nursery is gone; what it said before stands above.")
        answer: dict[str, Any] = json.loads(line)
        return answer
