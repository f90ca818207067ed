"""Bringing a database up to this version of the code, and knowing whether it is."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from alembic import command
from app.db.session import ReadSession

ROOT = Path(__file__).resolve().parents[2]


def config(url: str | None = None) -> Config:
    """Alembic's configuration; the URL travels as an attribute, so `%` in a password is safe."""
    made = Config(str(ROOT / "alembic.ini"))
    made.attributes["url"] = url
    return made


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate to `revision`. Safe to call from several replicas at once: they take turns."""
    command.upgrade(config(url), revision)


def downgrade(url: str, revision: str = "base") -> None:
    command.downgrade(config(url), revision)


def check(url: str) -> None:
    """Raise if the models have something that no migration makes."""
    command.check(config(url))


def newest() -> str | None:
    """The schema version this code was written for."""
    return ScriptDirectory.from_config(config()).get_current_head()


def known() -> set[str]:
    """Every schema version that this code can bring up to its own."""
    script = ScriptDirectory.from_config(config())
    return {one.revision for one in script.walk_revisions()}


async def current(session: ReadSession) -> str | None:
    """The schema version of the database, or None if it was never migrated."""
    known = await session.scalar(text("SELECT to_regclass('alembic_version')::text"))
    if known is None:
        return None
    version: str | None = await session.scalar(text("SELECT version_num FROM alembic_version"))
    return version
