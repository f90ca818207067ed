"""The installation's own secret: made once, whole, and for nobody else to read."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from app.core.errors import SetupError
from app.core.secret_file import NAME, load_or_make

RIVAL = "a rival's secret of more than thirty-two characters"


def test_a_secret_is_long_and_every_installation_has_its_own(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    first, second = (load_or_make(folder) for folder in folders)
    assert first != second
    assert len(first) == 64


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        load_or_make(tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_the_secret_is_the_same_the_next_time(tmp_path: Path) -> None:
    assert load_or_make(tmp_path) == load_or_make(tmp_path)


def test_nothing_but_the_secret_is_left_in_the_folder(tmp_path: Path) -> None:
    load_or_make(tmp_path)
    load_or_make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_secret_of_the_operators_own_is_taken_without_the_line_break(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(f"{RIVAL}\n")
    assert load_or_make(tmp_path) == RIVAL


def test_a_secret_of_32_characters_will_do(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("x" * 32)
    assert load_or_make(tmp_path) == "x" * 32


def test_whoever_starts_together_gets_the_same_secret(tmp_path: Path) -> None:
    together = Barrier(16)

    def start(_: int) -> str:
        together.wait()
        return load_or_make(tmp_path)

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(start, range(16)))) == 1
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_whoever_loses_the_race_takes_the_winners_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def late_link(made: Path, path: Path) -> None:
        path.write_text(RIVAL)
        link(made, path)

    monkeypatch.setattr(os, "link", late_link)
    assert load_or_make(tmp_path) == RIVAL
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_the_file_is_not_there_before_all_of_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append((tmp_path / NAME).exists()))
    load_or_make(tmp_path)
    assert seen == [False]


def test_a_full_disk_leaves_no_half_secret_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(SetupError, match="No space left on device"):
            load_or_make(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert load_or_make(tmp_path) == load_or_make(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 31 + b"\n", b"\n" * 99, b"\xff" * 64])
def test_a_damaged_secret_is_told_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(SetupError, match="is damaged; delete the file") as refused:
        load_or_make(tmp_path)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"No such file or directory.*TOCSIN_SECRET_KEY"):
        load_or_make(tmp_path / "missing")


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="Not a directory"):
        load_or_make(tmp_path / "file")


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(SetupError, match="Is a directory"):
        load_or_make(tmp_path)


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to(tmp_path / "nowhere")
    with pytest.raises(SetupError, match="No such file or directory"):
        load_or_make(tmp_path)


def test_a_disk_that_knows_no_links_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(made: Path, path: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(SetupError, match=r"Operation not permitted.*set TOCSIN_SECRET_KEY"):
        load_or_make(tmp_path)
    assert list(tmp_path.iterdir()) == []
