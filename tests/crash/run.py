"""One run: start everything, break it as planned, heal it, wait for it to come to rest."""

import asyncio
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests import unlimited
from tests.crash import cast, event_sink, hook_sink, mail_sink
from tests.crash import plan as planning
from tests.crash.client import Client
from tests.crash.database import TheDatabase
from tests.crash.feeder import Feeder
from tests.crash.judge import Verdict, judge, promised
from tests.crash.ledger import Books, Fault, Ledger, open_ledger
from tests.crash.plan import Plan
from tests.crash.replicas import Fleet, Slot
from tests.crash.scenario import EVENT, HOOK, LAST_RESORT, MAIL, SUBSCRIPTIONS
from tests.crash.sinks import Sink

ADMIN = ("admin@example.org", "a long password for the crash test")
SECRET = "a secret key that is long enough for the crash test"
PROGRESS_EVERY = 5.0
# With everything healed, so long without a single page means that none will come any more: a
# lease has run out by then, and what was tried a few times is tried again.
PATIENCE = 90.0
# A slow machine kills slowly: the faults go on for so many times as long to make up for it.
OVERTIME = 2.0
LIFE = 1.5  # seconds at work before a replica is killed by the plan
BETWEEN_BREAKS = 3.0  # seconds in which the database is there


@dataclass(frozen=True)
class Options:
    seed: int
    duration: float
    kills: int
    commands: tuple[str, ...] = ("serve", "serve", "worker", "worker")
    bug: str | None = None
    folder: Path | None = None  # where the ledger and the logs are kept
    say: Callable[[str], None] = lambda line: None
    patience: float = PATIENCE
    database: Callable[[Path], TheDatabase] = TheDatabase


@dataclass(frozen=True)
class Outcome:
    options: Options
    books: Books
    verdict: Verdict
    seconds: float
    ended_by_themselves: int
    folder: Path


async def run(options: Options) -> Outcome:
    """The whole story of one run."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-crash-"))
    folder.chmod(0o755)
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        stack.callback(_keep, folder, options.folder)
        stage = await _Stage.built(stack, folder, options)
        verdict = await stage.play()
    return Outcome(
        options,
        stage.ledger.books,
        verdict,
        time.monotonic() - began,
        stage.fleet.ended_by_themselves,
        options.folder or folder,
    )


def _keep(folder: Path, kept: Path | None) -> None:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        for path in (*folder.glob("*.log"), *folder.glob("*.jsonl")):
            shutil.copy(path, kept)
    shutil.rmtree(folder, ignore_errors=True)


class _Stage:
    """Everything that a run has, started and connected."""

    def __init__(
        self, options: Options, plan: Plan, ledger: Ledger, database: TheDatabase, fleet: Fleet
    ) -> None:
        self.options = options
        self.plan = plan
        self.ledger = ledger
        self.database = database
        self.fleet = fleet
        self.sinks: dict[str, Sink] = {}
        self.client = Client([s.url for s in fleet.slots if s.command == "serve"])
        self.key = ""
        self.subscriptions: list[int] = []
        self.began = 0.0
        self.calm: list[tuple[float, float]] = []

    @classmethod
    async def built(cls, stack: AsyncExitStack, folder: Path, options: Options) -> "_Stage":
        ledger = open_ledger(folder / "crash_ledger.jsonl")
        stack.callback(ledger.close)
        database = options.database(folder / "database")
        await asyncio.to_thread(database.start)
        stack.callback(database.stop)
        slots = [
            Slot(number, command, _free_port(), folder / f"{command}-{number}.log")
            for number, command in enumerate(options.commands)
        ]
        sinks = {
            channel: Sink(
                channel,
                ledger,
                planning.troubles(options.seed, channel),
                lambda port: stage.kill_sender(port),  # noqa: PLW0108  # there is none yet
            )
            for channel in (MAIL, HOOK, EVENT)
        }
        mail = await mail_sink.listen(sinks[MAIL])
        hook = await hook_sink.listen(sinks[HOOK])
        events = await event_sink.listen(
            sinks[EVENT], lambda: {slot.pid: slot.port for slot in slots if slot.pid is not None}
        )
        for server in (mail, hook, events):
            stack.callback(server.close)
        mail_port, hook_port, event_port = (
            server.sockets[0].getsockname()[1] for server in (mail, hook, events)
        )
        environment = _environment(folder, database.url, mail_port)
        fleet = Fleet(slots, environment, ledger)
        stack.push_async_callback(fleet.close)
        plan = planning.make(
            options.seed, options.duration, slots=options.commands, kills=options.kills
        )
        stage = cls(options, plan, ledger, database, fleet)
        stage.sinks = sinks
        stack.push_async_callback(stage.client.close)
        await fleet.open(options.bug)
        await fleet.start()
        await stage.client.log_in(*ADMIN)
        places = cast.Sinks(sinks[MAIL], sinks[HOOK], f"http://127.0.0.1:{hook_port}")
        ids = await cast.make_people(stage.client, places)
        await cast.make_policies(stage.client, places, ids)
        stage.subscriptions = await cast.make_subscriptions(
            stage.client, f"http://127.0.0.1:{event_port}"
        )
        ledger.books.subscriptions = SUBSCRIPTIONS
        stage.key = await cast.make_tool(stage.client)
        match options.bug:
            case "claim-without-lock":
                await database.lose_unique_keys()
            case "lease-never-rescued":
                await database.keep_leases()
        return stage

    async def kill_sender(self, port: int) -> bool:
        slot = next((slot for slot in self.fleet.slots if slot.port == port), None)
        return slot is not None and await self.fleet.kill(slot, "kill in mid-send")

    # --- The acts

    async def play(self) -> Verdict:
        """Feed, break, heal, wait; the verdict."""
        self.began = time.time()
        progress = asyncio.create_task(self._show_progress())
        feeding = asyncio.create_task(
            Feeder(self.client, self.key, self.ledger).feed(self.plan.alerts, self.began)
        )
        faults_from = self.began + planning.CALM
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._kill())
                tasks.create_task(self._break())
                tasks.create_task(self._trouble_sinks())
            await self._make_up_for_missing_kills()
            for sink in self.sinks.values():
                sink.is_troubled = False
            await self.fleet.all_up()
            healed_at = time.time()
            self.options.say(f"{self._clock()} everything is healed; waiting for the rest")
            await feeding
            self.calm = [(self.began, faults_from), (healed_at, float("inf"))]
            await self._come_to_rest()
        finally:
            for task in (progress, feeding):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await progress
        return self._judged()

    async def _kill(self) -> None:
        async def of(slot: Slot) -> None:
            for kill in (kill for kill in self.plan.kills if kill.slot == slot.number):
                await self._until(kill.at)
                await self._kill_one(slot)

        async with asyncio.TaskGroup() as tasks:
            for slot in self.fleet.slots:
                tasks.create_task(of(slot))

    async def _make_up_for_missing_kills(self) -> None:
        random = Random(f"late kills {self.plan.seed}")
        while self.ledger.books.kills() < self.options.kills and not self._is_over():
            await self._kill_one(random.choice(self.fleet.slots))

    async def _kill_one(self, slot: Slot) -> None:
        """Kill whoever is in the slot, once they have been at work for a moment."""
        while not self._is_over():
            await slot.is_up.wait()
            pid = slot.pid
            await asyncio.sleep(LIFE)
            if slot.pid == pid and await self.fleet.kill(slot, f"kill {slot.command}"):
                return

    async def _break(self) -> None:
        for planned in self.plan.breaks:
            await self._until(planned.at)
            if self._is_over():
                return
            began, ended = await self.database.suffer(planned)
            self.ledger.faulted(Fault("database", f"database: {planned.fault}", began, ended))
            await asyncio.sleep(BETWEEN_BREAKS)

    async def _trouble_sinks(self) -> None:
        await self._until(planning.CALM)
        for sink in self.sinks.values():
            sink.is_troubled = True
        await self._until(self.plan.duration)

    async def _come_to_rest(self) -> None:
        """Wait until all that is owed has come and nothing waits, or patience ends."""
        last_due = max(
            (p.due_until for p in promised(self.ledger.books).values() if p.due_until < 1e18),
            default=0.0,
        )
        await asyncio.sleep(max(0.0, last_due - time.time()))
        missing, since = -1, time.monotonic()
        while time.monotonic() < since + self.options.patience:
            verdict = self._judged()
            found = len(verdict.missing) + verdict.events.lost
            if found == 0 and not await self._waiting():
                break
            await self.database.pass_time()
            if found != missing:
                missing, since = found, time.monotonic()
            await asyncio.sleep(1)
        await self._note_failures()

    async def _waiting(self) -> int:
        waiting = "status=pending&status=sending&per_page=1"
        deliveries = (f"/v1/webhook-subscriptions/{id_}/deliveries" for id_ in self.subscriptions)
        total = 0
        for path in ("/v1/notifications", *deliveries):
            total += (await self.client.ask("GET", f"{path}?{waiting}")).body["total"]
        return total

    async def _note_failures(self) -> None:
        """What the product itself shows as given up."""
        path = "/v1/notifications?kind=page&status=failed&per_page=100"
        for item in (await self.client.ask("GET", path)).body["items"]:
            failed = self.ledger.books.failed
            failed[item["incident_id"]] = failed.get(item["incident_id"], 0) + 1
            self.ledger.broke(f"a page of #{item['incident_id']} failed: {item['reason']}")

    def _judged(self) -> Verdict:
        return judge(self.ledger.books, kills_wanted=self.options.kills, calm=self.calm)

    # --- The time

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, self.began + at - time.time()))

    def _is_over(self) -> bool:
        return time.time() > self.began + self.plan.duration * OVERTIME

    def _clock(self) -> str:
        return f"{time.time() - self.began:6.1f} s "

    async def _show_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY)
            verdict, books = self._judged(), self.ledger.books
            due = sum(promise.due_until < time.time() for promise in verdict.missing)
            self.options.say(
                f"{self._clock()} {verdict.accepted} alerts, {verdict.delivered} pages delivered,"
                f" {due} overdue, {verdict.resent} resent, {books.kills()} kills,"
                f" {len(books.faults)} faults"
            )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(folder: Path, database_url: str, mail_port: int) -> dict[str, str]:
    """What every replica is given, and nothing of Tocsin's besides."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TOCSIN_") and name not in {"DATABASE_URL", "HOST", "PORT"}
    }
    return inherited | {
        "DATABASE_URL": database_url,
        "TOCSIN_DATA_DIR": str(folder / "data"),
        "TOCSIN_SECRET_KEY": SECRET,
        "TOCSIN_PASSWORD_ROUNDS": "4",
        **unlimited.ENVIRONMENT,
        "TOCSIN_FIRST_ADMIN_EMAIL": ADMIN[0],
        "TOCSIN_FIRST_ADMIN_PASSWORD": ADMIN[1],
        "TOCSIN_SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
        "TOCSIN_MAIL_FROM": "Tocsin <tocsin@example.org>",
        "TOCSIN_ALLOW_PRIVATE_TARGETS": "127.0.0.1/32",
        "TOCSIN_FALLBACK_EMAIL": LAST_RESORT.address(MAIL),
        # Nobody is over the limit: a bundle does not say which step it is.
        "TOCSIN_PAGE_LIMIT": "1000",
        "TOCSIN_PAGE_WINDOW_MINUTES": "0.1",
        "TOCSIN_SERVICE_LIMIT": "0",
        # Leases are shorter here, or most of a run would be spent waiting for them to run out. The
        # margin stays: it is what recording has when the database is away.
        "TOCSIN_SEND_TIMEOUT_SECONDS": "5",
        "TOCSIN_LOG_LEVEL": "warning",
    }
