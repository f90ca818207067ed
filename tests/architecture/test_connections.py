"""What docs/configuration.md and docs/scaling.md say of database connections is what is opened: an
operator sizes `max_connections` by it."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.core.config import Settings
from app.crud import crud_health
from app.db.session import Database
from app.main import Setup, create_app

DOCS = Path(__file__).parents[2] / "docs"
NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
BELL = 1  # outside of every pool
KINDS: dict[str, dict[str, bool]] = {
    "tocsin serve": {},
    "tocsin serve --no-worker": {"with_worker": False},
    "tocsin worker": {"with_doors": False},
}


def opened(monkeypatch: pytest.MonkeyPatch, settings: Settings, **kind: bool) -> int:
    """The most connections of one process, by the pools that it makes."""
    made: list[Database] = []
    begin = Database.__init__

    def noted(self: Database, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        made.append(self)

    monkeypatch.setattr(Database, "__init__", noted)
    key = "a key that nothing is signed with"
    create_app(Setup(settings, NOWHERE, Path(), key, "http://localhost"), **kind)
    return sum(crud_health.connections(database)[1] for database in made) + BELL


@pytest.mark.parametrize("command", KINDS)
@pytest.mark.parametrize("page", ["configuration.md", "scaling.md"])
def test_the_pages_say_how_many_a_process_opens(
    monkeypatch: pytest.MonkeyPatch, command: str, page: str
) -> None:
    most = opened(monkeypatch, Settings.model_construct(), **KINDS[command])
    assert re.search(rf"`{command}` {most}\b", (DOCS / page).read_text())


def test_the_formula_leaves_room_for_every_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_construct(database_pool=50)
    besides = opened(monkeypatch, settings) - 50
    assert f"processes × (pool + {besides}) + 10" in (DOCS / "scaling.md").read_text()
