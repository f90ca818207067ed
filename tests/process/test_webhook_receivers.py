"""The receivers of docs/webhooks-outgoing.md, started as they stand there, take what we send."""

import asyncio
import os
import re
import shutil
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from app.core.security import new_webhook_secret
from app.domain.webhook import Hook
from tests.absent import absent
from tests.channels.factories import BODY
from tests.channels.servers import LOOPBACK
from tests.worker.hooks import sender

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks-outgoing.md").read_text()
PATIENCE = 20.0  # seconds


def program(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def command(language: str, path: Path) -> list[str]:
    if language == "python":
        return [sys.executable, str(path)]
    node = shutil.which("node")
    return [node, str(path)] if node else absent("node", "nodejs")


async def listens(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("the receiver did not start")


@asynccontextmanager
async def receiver(language: str, folder: Path, port: int, secret: str) -> AsyncIterator[Process]:
    path = folder / ("receiver.py" if language == "python" else "receiver.cjs")
    path.write_text(program(language))
    env = {**os.environ, "SECRET": secret, "PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *command(language, path), env=env, stdout=PIPE, stderr=PIPE
    )
    try:
        await listens(port)
        yield process
    finally:
        with suppress(ProcessLookupError):  # a test may have ended it
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("language", ["python", pytest.param("js", marks=pytest.mark.peer)])
async def test_a_receiver_believes_us_and_nobody_else_and_takes_each_event_once(
    language: str, tmp_path: Path, free_port: int
) -> None:
    secret, other = new_webhook_secret(), new_webhook_secret()
    url = f"http://{LOOPBACK}:{free_port}/"
    async with receiver(language, tmp_path, free_port, secret) as process:
        for mark, secrets, at, status in (
            ("one", (secret,), 0.0, 204),
            ("two", (other,), 0.0, 401),
            ("three", (other, secret), 0.0, 204),  # while one replaces the other
            ("three", (secret,), 0.0, 204),  # the same again
            ("four", (secret,), -3600.0, 401),  # recorded an hour ago
        ):
            way = sender(clock=lambda at=at: time.time() + at)
            heard = await way.send(Hook(mark, url, BODY, secrets))
            assert heard.status == status, mark
            await way.close()
        assert process.stdout is not None
        said = [await asyncio.wait_for(process.stdout.readline(), PATIENCE) for _ in range(2)]
        assert all(line.startswith(b"incident.opened ") for line in said)
        process.kill()
        assert await process.stdout.read() == b""
