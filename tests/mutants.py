"""Plants one bug at a time in a copy of the code and shows that the tests catch it.

    python -m tests.mutants [NAME …]

Exit status 1 if one survives. Each mutant is run against the tests that ought to see it.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("app", "tests", "alembic", "alembic.ini", "pyproject.toml")
CLAIM = "tests/crud"
RACES = "tests/stories/test_races.py"
STORIES = "tests/stories"
DELIVERY = "tests/worker/test_delivery.py"
HOOKS = "tests/worker/test_webhook_retries.py"
CATALOGUE = "tests/stories/test_catalogue_races.py"


@dataclass(frozen=True)
class Mutant:
    name: str
    path: str
    was: str
    becomes: str
    seen_by: str


LOCKED = "    FOR NO KEY UPDATE OF i, e SKIP LOCKED\n"

MUTANTS = [
    Mutant(
        "no row lock when somebody acts",
        "app/crud/base.py",
        'with_for_update={"key_share": True}, ',
        "",
        "tests/api",
    ),
    Mutant("claim takes no lock", "app/crud/crud_escalation.py", LOCKED, "", f"{CLAIM} {RACES}"),
    Mutant(
        "claim waits instead of skipping",
        "app/crud/crud_escalation.py",
        LOCKED,
        LOCKED.replace(" SKIP LOCKED", ""),
        f"{CLAIM} {RACES}",
    ),
    Mutant(
        "claim locks the escalation only",
        "app/crud/crud_escalation.py",
        LOCKED,
        LOCKED.replace("i, e", "e"),
        f"{CLAIM} {RACES}",
    ),
    Mutant(
        "claim locks the incident only",
        "app/crud/crud_escalation.py",
        LOCKED,
        LOCKED.replace("i, e", "i"),
        f"{CLAIM} {RACES}",
    ),
    Mutant(
        "no savepoint around a step",
        "app/worker/escalation.py",
        "                async with session.begin_nested():\n                    await ladder.take",
        "                if True:\n                    await ladder.take",
        STORIES,
    ),
    Mutant(
        "a broken step is not put off",
        "app/worker/escalation.py",
        "until=now + postponement(run.faults + 1),",
        "until=now,",
        STORIES,
    ),
    Mutant(
        "acknowledging does not pause",
        "app/services/incident.py",
        "        await escalation_service.pause(session, [incident.id], now=now)\n",
        "",
        STORIES,
    ),
    Mutant(
        "a read may write",
        "app/db/session.py",
        'execution_options={"postgresql_readonly": True}',
        "execution_options={}",
        "tests/api",
    ),
    Mutant(
        "the commit comes after the response",
        "app/api/deps.py",
        'WriteSession = Annotated[db.WriteSession, Depends(_open_write, scope="function")]',
        "WriteSession = Annotated[db.WriteSession, Depends(_open_write)]",
        "tests/api",
    ),
    Mutant(
        "the lease takes no lock",
        "app/crud/crud_outbox.py",
        '        FOR NO KEY UPDATE OF n SKIP LOCKED"""',
        '"""',
        f"{DELIVERY} {RACES}",
    ),
    Mutant(
        "the lease does not look at the incident",
        "app/crud/crud_outbox.py",
        "                WHEN d.kind = 'page' AND i.status = 'acknowledged'\n"
        "                    THEN 'The incident was acknowledged first.'\n",
        "",
        DELIVERY,
    ),
    Mutant(
        "a vanished sender's lease is never taken over",
        "app/crud/crud_outbox.py",
        '_WHOSE = " AND (n.kind',
        "_WHOSE = \" AND n.status = 'pending' AND (n.kind",
        DELIVERY,
    ),
    Mutant(
        "recorded as sent before it is sent",
        "app/worker/delivery.py",
        "        verdict = await self._send(one)\n        one.is_ended = True\n"
        "        self.freed()\n        await self._record(one, verdict)\n",
        "        await self._record(one, Taken())\n        await self._send(one)\n"
        "        one.is_ended = True\n        self.freed()\n",
        DELIVERY,
    ),
    Mutant(
        "a webhook counts as taken before it is sent",
        "app/worker/webhooks.py",
        "        verdict = await self._send(one)\n        one.is_ended = True\n"
        "        await self._record(one, verdict)\n",
        "        await self._record(one, Heard())\n        await self._send(one)\n"
        "        one.is_ended = True\n",
        HOOKS,
    ),
    Mutant(
        "a webhook whose sender vanished is never taken over",
        "app/crud/crud_webhook_delivery.py",
        "WHERE subscription_id = s.id AND ready_at <= :now\n",
        "WHERE subscription_id = s.id AND ready_at <= :now AND status = 'pending'\n",
        HOOKS,
    ),
    Mutant(
        "a process that stops hands nothing over",
        "app/worker/underway.py",
        "[asyncio.create_task(self._hand_over(one)) for one in left.values()]",
        "[]",
        f"tests/worker/test_abandoned.py {HOOKS}",
    ),
    Mutant(
        "what cannot be recorded at once is given up",
        "app/worker/underway.py",
        "            if loop.time() + pause > until:\n",
        "            if True:\n",
        "tests/worker/test_underway.py",
    ),
    Mutant(
        "a retry forgets that it was overtaken",
        "app/crud/crud_receipt.py",
        "n.overtaken_at IS NOT NULL AND e.status = 'pending' AS is_overtaken",
        "false AS is_overtaken",
        DELIVERY,
    ),
    Mutant(
        "a bundle bears its leader's mark alone",
        "app/worker/compose.py",
        'mark = f"{first.incident.uid}.{first.id}.{digest[:16]}"',
        'mark = f"{first.incident.uid}.{first.id}"',
        "tests/stories/test_bundles.py tests/worker",
    ),
    Mutant(
        "a refresh token is good twice",
        "app/services/auth.py",
        "if brought.used_at is not None:",
        "if brought.id < 0:",
        "tests/api/test_refresh.py",
    ),
    Mutant(
        "a login is not compared with the account as it is now",
        "app/services/auth.py",
        "or held.hashed_password != proved:",
        "or False:",
        "tests/api/test_refresh.py",
    ),
    Mutant(
        "a link from a mail is good twice",
        "app/services/account.py",
        "    challenge.used_at = now\n    return challenge",
        "    return challenge",
        "tests/api/test_signup.py",
    ),
    Mutant(
        "a guess is counted only when it was wrong, and too late",
        "app/api/signing_in.py",
        "    await count(service, [*for_account, *from_client])\n",
        "",
        "tests/api/test_throttling.py",
    ),
    Mutant(
        "an alert joins whatever it found",
        "app/crud/crud_intake.py",
        "WHERE t.is_open\n    RETURNING",
        "RETURNING",
        f"{CLAIM} {RACES}",
    ),
    Mutant(
        "lateness adds up",
        "app/domain/escalation.py",
        "return Position(position.loop, following, position.due_at + delay)",
        "return Position(position.loop, following, position.due_at + delay * 2)",
        STORIES,
    ),
    Mutant(
        "what appears below the mark is never looked for",
        "app/worker/watermark.py",
        "return self._clock() >= self._next_look",
        "return False",
        "tests/worker/test_watermark.py",
    ),
    Mutant(
        "no page is critical",
        "app/services/ladder_batch.py",
        '"is_critical": self._is_critical(due),',
        '"is_critical": False,',
        "tests/worker/test_climb.py",
    ),
    Mutant(
        "a bad alert fails its neighbours",
        "app/db/coalesce.py",
        "            if len(taken) > 1 and not is_outage(error):\n",
        "            if False:\n",
        "tests/db/test_coalesce.py tests/api/test_intake.py",
    ),
    Mutant(
        "nobody reached waits in silence",
        "app/domain/escalation.py",
        "    if not reached_somebody:\n",
        "    if False:\n",
        STORIES,
    ),
    Mutant(
        "services are named without turns",
        "app/crud/crud_service.py",
        "    await session.execute(select(func.pg_advisory_xact_lock(NAMING)))\n",
        "",
        CATALOGUE,
    ),
    Mutant(
        "schedules are named without turns",
        "app/crud/crud_schedule_list.py",
        "    await session.execute(select(func.pg_advisory_xact_lock(NAMING)))\n",
        "",
        CATALOGUE,
    ),
    Mutant(
        "a service does not hold the schedule that it names",
        "app/crud/crud_service.py",
        "        .where(Schedule.id == schedule_id, Schedule.deleted_at.is_(None))\n"
        "        .with_for_update(read=True)\n",
        "        .where(Schedule.id == schedule_id, Schedule.deleted_at.is_(None))\n",
        CATALOGUE,
    ),
    Mutant(
        "a policy does not hold what it names",
        "app/crud/crud_target.py",
        ".order_by(key).with_for_update(read=True)",
        ".order_by(key)",
        CATALOGUE,
    ),
    Mutant(
        "a schedule does not hold the calendars that it follows",
        "app/crud/crud_schedule_list.py",
        "held.with_for_update(read=True)",
        "held",
        CATALOGUE,
    ),
]


def survives(mutant: Mutant) -> bool:
    """Whether the tests that ought to see it pass all the same."""
    with tempfile.TemporaryDirectory(prefix="tocsin-mutant-") as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        target = copy / mutant.path
        text = target.read_text()
        if text.count(mutant.was) != 1:
            raise SystemExit(f"{mutant.name}: {mutant.path} holds {text.count(mutant.was)} of it")
        target.write_text(text.replace(mutant.was, mutant.becomes))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        result = subprocess.run(
            [*command, *mutant.seen_by.split()], cwd=copy, capture_output=True, text=True
        )
        if result.returncode not in (0, 1):
            raise SystemExit(f"{mutant.name}: the tests did not run\n{result.stdout[-2000:]}")
        return result.returncode == 0


def main() -> None:
    wanted = sys.argv[1:]
    chosen = [m for m in MUTANTS if not wanted or any(word in m.name for word in wanted)]
    alive = 0
    for mutant in chosen:
        lives = survives(mutant)
        alive += lives
        print(f"{'SURVIVED' if lives else 'caught  '}  {mutant.name}", flush=True)
    print(f"{len(chosen) - alive} caught, {alive} survived")
    sys.exit(bool(alive))


if __name__ == "__main__":
    main()
