"""The database is lost and comes back from a file, while nothing is paged twice or forgotten."""

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.service import Service, postgres_processes, run
from tests.process.test_page import Mailbox, mailbox, people_and_policy

pytestmark = pytest.mark.crash

__all__ = ["mailbox"]

FROM = "Tocsin <tocsin@example.org>"


@pytest.fixture
def folder(data_dir: Path) -> Iterator[Path]:
    yield data_dir
    run(data_dir, "migrate")  # joins what a killed process left running, and stops it
    assert postgres_processes(data_dir) == []


def lose(folder: Path) -> None:
    """The disk with the database is gone."""
    shutil.rmtree(folder / "postgres")


def titles(service: Service) -> set[str]:
    return {incident["title"] for incident in service.get("/v1/incidents")["items"]}


def alert(service: Service, key: str, title: str) -> None:
    service.post("/v1/webhooks/alerts", {"title": title, "dedup_key": title}, **{"X-API-Key": key})


def test_a_lost_database_comes_back_with_everything_and_goes_on_paging(
    folder: Path, mailbox: tuple[Mailbox, str]
) -> None:
    box, url = mailbox
    service = Service(folder, TOCSIN_SMTP_URL=url, TOCSIN_MAIL_FROM=FROM)
    password = service.password
    service.log_in("admin@localhost", password)
    key = people_and_policy(service)
    alert(service, key, "Paged before")
    box.wait_for(2)  # Ana, and then Ben: nothing more is owed for this one

    made = run(folder, "backup", str(folder / "one.dump"))  # while it runs
    assert made.returncode == 0, made.stderr
    assert re.search(r"The database holds \d+\.\d MB", made.stdout)
    assert "\n  incidents\n" in made.stdout
    assert re.search(r"one\.dump has everything: \d+\.\d kB", made.stdout)
    assert str(folder / "secret_key") in made.stdout
    assert (folder / "one.dump").stat().st_mode & 0o777 == 0o600

    alert(service, key, "Too late for the backup")
    service.end(signal.SIGTERM)
    lose(folder)
    told = len(box.messages)
    restored = run(folder, "restore", str(folder / "one.dump"))
    assert restored.returncode == 0, restored.stderr
    assert "\n  incidents\n" in restored.stdout

    again = Service(folder, TOCSIN_SMTP_URL=url, TOCSIN_MAIL_FROM=FROM)
    try:
        again.log_in("admin@localhost", password)
        assert titles(again) == {"Paged before"}
        alert(again, key, "Paged after")
        later = [str(mail["Subject"]) for mail in box.wait_for(told + 2)[told:]]
        assert all("Paged after" in subject for subject in later), later
        numbers = [incident["id"] for incident in again.get("/v1/incidents")["items"]]
        assert len(numbers) == len(set(numbers)) == 2
    finally:
        again.end()


def test_what_was_owed_when_the_backup_began_is_paid_after_the_restore(
    folder: Path, mailbox: tuple[Mailbox, str]
) -> None:
    box, url = mailbox
    # The one that takes alerts does not send: the pages are owed.
    service = Service(folder, "--no-worker", TOCSIN_SMTP_URL=url, TOCSIN_MAIL_FROM=FROM)
    service.log_in("admin@localhost", service.password)
    key = people_and_policy(service)
    alert(service, key, "Owed")
    assert run(folder, "backup", str(folder / "one.dump")).returncode == 0
    service.end()
    lose(folder)
    assert run(folder, "restore", str(folder / "one.dump")).returncode == 0
    assert box.messages == []
    again = Service(folder, TOCSIN_SMTP_URL=url, TOCSIN_MAIL_FROM=FROM)
    try:
        first, _ = box.wait_for(2)
        assert "Owed" in str(first["Subject"])
    finally:
        again.end()


def test_no_backup_is_written_over_and_no_stranger_is_taken(folder: Path) -> None:
    assert run(folder, "migrate").returncode == 0
    there = folder / "there"
    there.write_text("dear to somebody")
    refused = run(folder, "backup", str(there))
    assert refused.returncode == 2
    assert "is there already" in refused.stderr
    assert there.read_text() == "dear to somebody"
    for name in ("there", "nowhere"):
        refused = run(folder, "restore", "--force", str(folder / name))
        assert refused.returncode == 2
        assert "cannot be read" in refused.stderr
    nowhere = run(folder, "backup", str(folder / "no" / "folder" / "x"))
    assert nowhere.returncode == 2
    assert "cannot be written" in nowhere.stderr
