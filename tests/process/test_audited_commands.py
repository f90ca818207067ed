"""What commands on the machine change is in the audit log, too, as the system's."""

from pathlib import Path

from app import cli
from app.api.first_admin import make_first_admin
from app.core.load import load_settings
from app.db.session import Database
from app.main import Setup
from tests.world import World


def _setup(database_url: str, folder: Path) -> Setup:
    return Setup(
        settings=load_settings(password_rounds=4),
        database_url=database_url,
        data_dir=folder,
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )


async def test_a_new_admin_is_told_with_the_command_that_made_it(
    world: World, database_url: str, tmp_path: Path
) -> None:
    await cli._create_admin(_setup(database_url, tmp_path), "boss@example.org", "passphrase")
    rows = await world.sql(
        "SELECT actor_kind, actor, user_id, changes ->> 'email' FROM audit_log"
        " WHERE action = 'user.created'"
    )
    assert [tuple(row)[:3] for row in rows] == [("system", "tocsin create-admin", None)]
    assert "boss@example.org" in rows[0][3]
    before = await world.sql("SELECT count(*) FROM audit_log")
    await world.person()  # the command is over
    assert await world.sql("SELECT count(*) FROM audit_log") == before


async def test_so_is_the_first_one(database: Database, database_url: str, tmp_path: Path) -> None:
    setup = _setup(database_url, tmp_path)

    def chosen() -> str:
        return cli.FIRST_ADMIN

    assert await make_first_admin(setup.settings, database, chosen) is not None
    assert await make_first_admin(setup.settings, database, chosen) is None
    world = World(database, None, None, None)  # type: ignore[arg-type]
    rows = await world.sql("SELECT actor_kind FROM audit_log WHERE action = 'user.created'")
    assert [row[0] for row in rows] == ["system"]
