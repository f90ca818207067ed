"""What the settings say reaches the part that must obey it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.channels.base import Sender
from app.channels.fallback import Fallback
from app.channels.outbox import OutboxSender
from app.core.config import Settings
from app.core.errors import SetupError
from app.core.load import load_settings
from app.core.metrics import Metrics
from app.core.security import Signer
from app.db.session import Database
from app.domain.notification import Channel
from app.main import Setup, build_monitor, build_senders, build_worker

KEY = "a secret key that is long enough for the tests"


def senders(settings: Settings, folder: Path) -> dict[Channel, Sender]:
    return {sender.channel: sender for sender in build_senders(settings, folder, Signer(KEY))}


def test_every_sender_that_talks_to_the_world_has_the_time_out_that_is_set(tmp_path: Path) -> None:
    settings = load_settings(
        smtp_url="smtp://127.0.0.1:1", sms_gateway_url="http://127.0.0.1:1", send_timeout_seconds=7
    )
    found = {channel: sender.timeout for channel, sender in senders(settings, tmp_path).items()}
    assert found == dict.fromkeys(Channel, timedelta(seconds=7))


def test_a_second_mail_server_stands_behind_the_first(tmp_path: Path) -> None:
    settings = load_settings(
        smtp_url="smtp://127.0.0.1:1", smtp_backup_url="smtp://127.0.0.1:2", send_timeout_seconds=7
    )
    mail = senders(settings, tmp_path)[Channel.EMAIL]
    assert isinstance(mail, Fallback)
    hosts: list[Any] = [way.provider_of(None) for way in mail.ways]  # type: ignore[attr-defined]
    assert hosts == ["127.0.0.1:1", "127.0.0.1:2"]
    assert mail.timeout == timedelta(seconds=7)


def test_a_wrong_second_mail_server_is_told_by_its_own_name(tmp_path: Path) -> None:
    settings = load_settings(
        smtp_url="smtp://127.0.0.1:1", smtp_backup_url="http://user:hidden@127.0.0.1"
    )
    with pytest.raises(SetupError, match="TOCSIN_SMTP_BACKUP_URL is no mail server") as refusal:
        senders(settings, tmp_path)
    assert "hidden" not in str(refusal.value)


def test_without_a_mail_server_mail_is_kept(tmp_path: Path) -> None:
    assert isinstance(senders(load_settings(), tmp_path)[Channel.EMAIL], OutboxSender)


def test_the_monitor_is_called_as_often_as_is_set() -> None:
    assert build_monitor(load_settings()) is None
    settings = load_settings(heartbeat_url="https://monitor.example/x", heartbeat_seconds=15)
    monitor = build_monitor(settings)
    assert monitor is not None
    assert (monitor.url, monitor.every) == ("https://monitor.example/x", timedelta(seconds=15))
    assert "monitor.example" not in repr(monitor)


async def test_the_worker_obeys_its_settings(tmp_path: Path) -> None:
    settings = load_settings(
        drain_seconds=3, lease_margin_seconds=4, raw_bodies_days=5, safety_tick_seconds=6
    )
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    setup = Setup(settings, url, tmp_path, KEY, "https://tocsin.test")
    counted = Metrics()
    signer = Signer(KEY)
    database = Database(url)
    built = build_senders(settings, tmp_path, signer)
    worker = build_worker(setup, database, signer, built, counted)
    assert worker._drain == timedelta(seconds=3)
    assert {lane._margin for lane in worker._lanes} == {timedelta(seconds=4)}
    assert {lane._recorder._metrics for lane in worker._lanes} == {counted}
    assert worker._housekeeping._bodies_kept == timedelta(days=5)
    assert worker._safety_tick == timedelta(seconds=6)
    await database.close()
