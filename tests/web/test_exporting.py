"""The folder that always holds the status page: kept as it should be, refused if not ours."""

from pathlib import Path

import pytest

from app.core.errors import SetupError
from app.services.status_page import LOOP
from app.web.exporting import Exporting
from tests.world import World


async def component(world: World, name: str) -> None:
    admin = await world.admin(f"{name.lower()}@example.org")
    body = {"name": name}
    await world.call("POST", "/v1/status-page/components", admin, expect=201, json=body)


async def test_a_change_is_in_the_files_after_the_next_round(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "status"
    exporting = Exporting(world.database, folder, "https://tocsin.test")
    await component(world, "Checkout")
    await exporting.round()
    assert "Checkout" in (folder / "index.html").read_text()
    assert "Checkout" in (folder / "api/v2/summary.json").read_text()
    await component(world, "Search")
    await exporting.round()
    assert "Search" in (folder / "index.html").read_text()
    assert len(list((folder / "badges").iterdir())) == 2


async def test_a_commit_that_changes_the_page_rings_for_it(world: World) -> None:
    """Five minutes would be late."""
    rung: list[str] = []
    world.database.wake = rung.extend
    await component(world, "Checkout")
    assert LOOP in rung


def test_a_folder_of_somebody_else_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SetupError, match="is not empty"):
        Exporting(None, tmp_path, "https://tocsin.test")  # type: ignore[arg-type]
