"""The status page as files: whole, relative, replaced at one stroke, in a folder of their own."""

import json
import posixpath
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.core.errors import SetupError
from app.domain.public_history import MonthName, MonthPicture
from app.web import export
from tests.web import pictures
from tests.web.html import read


def shown() -> export.Shown:
    page = pictures.bad_day()
    months = [
        MonthPicture(
            MonthName(2026, 11),
            (pictures.CHECKOUT, pictures.SEARCH),
            (pictures.DISKS,),
            earlier=MonthName(2026, 10),
            later=None,
        ),
        MonthPicture(MonthName(2026, 10), (), (), earlier=None, later=MonthName(2026, 11)),
    ]
    documents = {"summary.json": b"{}", "status.json": b"{}"}
    return export.Shown(page, months, [pictures.CHECKOUT, pictures.SEARCH], documents)


def test_every_link_leads_to_a_file_and_none_to_a_server() -> None:
    files = export.files_of(shown())
    for path, content in files.items():
        if not path.endswith(".html"):
            continue
        for address in read(content.decode()).addresses:
            parts = urlsplit(address)
            if parts.scheme or not parts.path:
                continue  # the support link, what somebody wrote, or a place on the page
            assert not parts.path.startswith("/"), (path, address)
            to = posixpath.normpath(posixpath.join(posixpath.dirname(path), parts.path))
            assert to in files, (path, address)


def test_nothing_in_it_needs_a_script() -> None:
    for path, content in export.files_of(shown()).items():
        if path.endswith(".html"):
            assert read(content.decode()).all("script") == []


def test_the_front_page_comes_last_and_what_it_leads_to_first(tmp_path: Path) -> None:
    assert list(export.files_of(shown()))[-1] == "index.html"
    written = export.write(tmp_path / "status", export.files_of(shown()))
    assert (written.files, written.changed) == (len(export.files_of(shown())),) * 2


def test_what_has_not_changed_is_not_touched_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    export.write(tmp_path, export.files_of(shown()))
    badge = tmp_path / "badge.svg"
    before = badge.stat().st_ino
    well = pictures.good_day()
    now = replace(shown(), page=replace(well, level=pictures.bad_day().level), newest=())
    written = export.write(tmp_path, export.files_of(now))
    assert badge.stat().st_ino == before
    assert written.removed == 2  # of five components three are left, of which one is new
    assert not (tmp_path / "badges" / "5.svg").exists()
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*export.files_of(now), export.MARKER}


def test_a_file_is_replaced_and_never_written_into(tmp_path: Path) -> None:
    export.write(tmp_path, {"index.html": b"first"})
    with (tmp_path / "index.html").open("rb") as reading:
        export.write(tmp_path, {"index.html": b"second, and longer"})
        assert reading.read() == b"first"
    assert (tmp_path / "index.html").read_bytes() == b"second, and longer"


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SetupError, match="is not empty"):
        export.write(tmp_path, {"index.html": b""})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_marker_that_somebody_changed_removes_nothing_outside(tmp_path: Path) -> None:
    outside = tmp_path / "thesis.txt"
    outside.write_text("mine")
    folder = tmp_path / "status"
    export.write(folder, {"index.html": b"1"})
    listed = {"files": ["../thesis.txt", str(outside), "index.html"]}
    (folder / export.MARKER).write_text(json.dumps(listed))
    export.write(folder, {"index.html": b"2"})
    assert outside.read_text() == "mine"


def test_what_somebody_put_beside_it_later_stays(tmp_path: Path) -> None:
    export.write(tmp_path, {"index.html": b"1", "old.html": b"1"})
    (tmp_path / "robots.txt").write_text("theirs")
    export.write(tmp_path, {"index.html": b"2"})
    assert (tmp_path / "robots.txt").read_text() == "theirs"
    assert not (tmp_path / "old.html").exists()
