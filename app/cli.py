"""The command: `tocsin serve`, `worker`, `migrate`, `create-admin`, `preflight` and others.
Whatever stops a start is one sentence on stderr and exit status 2, never a traceback."""

import asyncio
import gc
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError

from app.api.first_admin import make_first_admin
from app.api.preflight_shown import look, readable
from app.api.serving import Server, bound, server_config
from app.core import leaving, secret_file, source
from app.core.config import Settings
from app.core.errors import SetupError
from app.core.security import Passwords, Signer
from app.db import backup as backups
from app.db import migrations
from app.db.connect import require_usable
from app.db.embedded import EmbeddedPostgresError
from app.db.listen import Bell
from app.db.session import Database, transaction_time
from app.demo import command as demo
from app.domain.user import Role
from app.main import (
    Setup,
    build_database,
    build_senders,
    build_vault,
    build_worker,
    create_app,
    webhook_secret,
)
from app.schemas.preflight import PreflightRead
from app.schemas.types import EmailAddress
from app.services import audit_log
from app.services import user as user_service
from app.services.subscriber_keys import Keys
from app.setting_up import (
    data_folder,
    database_at,
    own_url,
    secret_of,
    set_up,
    settings_with,
)
from app.web import export

FIRST_ADMIN = "admin@localhost"
COLLECT_AFTER = (10_000, 20, 20)  # docs/operations.md, “Memory”, has what was measured

cli = typer.Typer(
    name="tocsin",
    help="Alerts in, the right person paged, until somebody answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """What the command `tocsin` runs."""
    leaving.when_told()
    try:
        cli()
    except (SetupError, EmbeddedPostgresError) as error:
        print(f"tocsin: {error}", file=sys.stderr)
        sys.exit(2)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    worker: Annotated[bool, typer.Option(help="Run the loops in this process, too.")] = True,
) -> None:
    """Serve the API (and run the loops), migrating the database first."""
    settings = settings_with(host=host, port=port)
    with bound(settings) as listener, set_up(settings, listener) as setup:
        with leaving.later():
            asyncio.run(_announce(setup))
        _serve(create_app(setup, with_worker=worker), listener, settings)
    print("Tocsin has stopped.")


@cli.command()
def worker(
    host: Annotated[str | None, typer.Option(help="Address for --port.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Serve /health, /ready and /metrics on this port.")
    ] = None,
) -> None:
    """Run the loops only: escalations and deliveries, beside API processes."""
    settings = settings_with()
    if port is None:
        with set_up(settings) as setup:
            print("The loops are running. Ctrl-C stops them.", flush=True)
            asyncio.run(_work(setup))
    else:
        # Its links lead to where the API is, not to this port.
        watched = settings_with(host=host, port=port)
        with bound(watched) as listener, set_up(settings) as setup:
            shown = own_url(watched, listener)
            print(f"The loops are running, watched at {shown}. Ctrl-C stops them.", flush=True)
            _serve(create_app(setup, with_doors=False), listener, settings)
    print("Tocsin has stopped.")


@cli.command()
def migrate() -> None:
    """Bring the database up to this version."""
    with set_up(settings_with()):
        print(f"The database is at schema version {migrations.newest()}.")


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
) -> None:
    """Write the whole database into a file. Tocsin may go on meanwhile."""
    settings = settings_with()
    data_dir = data_folder(settings)
    with database_at(settings, data_dir) as url:
        asyncio.run(require_usable(url))
        backups.write(url, file, environment=os.environ, say=partial(print, flush=True))
    if settings.secret_key is None:
        print(f"Keep {data_dir / secret_file.NAME} as well, elsewhere: it is not in there.")


@cli.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `tocsin backup` wrote.")],
    force: Annotated[bool, typer.Option(help="Replace what is in the database.")] = False,
) -> None:
    """Put a backup into the database. No Tocsin may use it meanwhile."""
    settings = settings_with()
    data_dir = data_folder(settings)
    with database_at(settings, data_dir) as url:
        asyncio.run(require_usable(url))
        say = partial(print, flush=True)
        backups.read(url, file, environment=os.environ, force=force, say=say)
        migrations.upgrade(url)
    if settings.secret_key is None and not (data_dir / secret_file.NAME).exists():
        print(f"Before a start, put the secret key back: {data_dir / secret_file.NAME}.")


@cli.command()
def create_admin(
    email: Annotated[str, typer.Argument(help="The new admin's mail address.")],
    password: Annotated[
        str | None, typer.Option(help="Else TOCSIN_PASSWORD, else one is made and printed.")
    ] = None,
) -> None:
    """Make another admin."""
    settings = settings_with()
    email = _address(email)
    given = password or os.environ.get("TOCSIN_PASSWORD")
    with set_up(settings) as setup:
        chosen = given or secrets.token_urlsafe(12)
        asyncio.run(_create_admin(setup, email, chosen))
        print(f"{email} is an admin now.")
        if given is None:
            print(f"Password (shown this once): {chosen}")


@cli.command()
def preflight(
    as_json: Annotated[bool, typer.Option("--json", help="Print what the API answers.")] = False,
) -> None:
    """Look for what would let a page reach nobody. Exit: 0 nothing, 1 something, 2 failed."""
    with set_up(settings_with()) as setup:
        report = asyncio.run(_look(setup))
    print(report.model_dump_json(indent=2) if as_json else readable(report))
    raise typer.Exit(0 if report.is_clean else 1)


@cli.command()
def seed_demo(
    reset: Annotated[bool, typer.Option(help="Tell the demo anew, with new passwords.")] = False,
    yes: Annotated[bool, typer.Option(help="Ask nothing, whatever else is there.")] = False,
) -> None:
    """Make a demo: two teams in two time zones, some weeks behind them, and a live incident."""
    with set_up(settings_with()) as setup:
        asyncio.run(_with_database(setup, partial(_seed_demo, setup, reset=reset, yes=yes)))


@cli.command()
def export_status(
    folder: Annotated[Path, typer.Argument(help="Where to; an empty folder, or one of before.")],
) -> None:
    """Write the status page as files, which any web server can serve."""
    with set_up(settings_with()) as setup:
        asyncio.run(_with_database(setup, partial(_export, setup, folder)))


@cli.command(name="webhook-secret")
def show_webhook_secret() -> None:
    """Print the secret that signs our webhook calls, for those who verify them."""
    settings = settings_with()
    secret_key = secret_of(settings, data_folder(settings))
    print(webhook_secret(settings, Signer(secret_key)))


def _address(text: str) -> str:
    try:
        checked: str = TypeAdapter(EmailAddress).validate_python(text)
    except ValidationError:
        raise SetupError(f"“{text}” is no mail address.") from None
    return checked


def _serve(app: FastAPI, listener: socket.socket, settings: Settings) -> None:
    config = server_config(app, settings)
    config.load()
    keep_what_is_built()
    with suppress(KeyboardInterrupt):
        Server(config, app.state.service.feed).run(sockets=[listener])


def keep_what_is_built() -> None:
    """Spare the garbage collector what lives as long as the process: it would go through all of
    it in the middle of an alert, and find nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


# --- What commands do -------------------------------------------------------------------


async def _with_database(setup: Setup, work: Callable[[Database], Awaitable[None]]) -> None:
    audit_log.listen()
    database = build_database(setup)
    try:
        await work(database)
    finally:
        await database.close()


async def _announce(setup: Setup) -> None:
    async def announce(database: Database) -> None:
        named = partial(_address, setup.settings.first_admin_email or FIRST_ADMIN)
        made = await make_first_admin(setup.settings, database, named)
        url = setup.public_url
        print(f"\nTocsin serves {url}")
        print(f"  Swagger UI   {url}/docs")
        print(f"  ReDoc        {url}/redoc")
        if made is None:
            print(
                "  Log in with the admin of the first start; `tocsin create-admin` makes another."
            )
        else:
            email, password = made
            print(f"  Admin        {email}")
            print(f"  Password     {password}")
        if setup.settings.smtp_url is None:
            print(f"  No mail server is set: pages are kept in {setup.data_dir / 'outbox'}")
        print("  Ctrl-C stops it.\n", flush=True)

    await _with_database(setup, announce)


async def _create_admin(setup: Setup, email: str, password: str) -> None:
    hashed = await Passwords(setup.settings.password_rounds).hash(password)
    new = user_service.NewUser(email=email, hashed_password=hashed, role=Role.ADMIN)

    async def create(database: Database) -> None:
        async with database.writing() as session:
            await user_service.create(session, new, now=await transaction_time(session))

    try:
        with source.command("tocsin create-admin"):
            await _with_database(setup, create)
    except user_service.EmailTakenError as error:
        raise SetupError(error.message) from None


async def _look(setup: Setup) -> PreflightRead:
    senders = build_senders(setup.settings, setup.data_dir, Signer(setup.secret_key))
    database = build_database(setup)
    try:
        return await look(database, {str(each.channel): each.state() for each in senders})
    finally:
        await database.close()


async def _seed_demo(setup: Setup, database: Database, *, reset: bool, yes: bool) -> None:
    """Where its mail lies, and where to look, besides what it says itself."""
    told = f"{setup.data_dir / 'outbox'}", setup.public_url
    passwords = Passwords(setup.settings.password_rounds)
    signer = Signer(setup.secret_key)
    seals = Keys(signer, build_vault(signer))
    with source.command("tocsin seed-demo"):
        say = partial(print, flush=True)
        await demo.seed(database, passwords, seals, told, say, reset=reset, yes=yes)


async def _export(setup: Setup, folder: Path, database: Database) -> None:
    written = await export.export(database, folder, setup.public_url)
    print(f"{folder}: {written.files} files, {written.changed} of them new or changed.")


async def _work(setup: Setup) -> None:
    database = build_database(setup)
    signer = Signer(setup.secret_key)
    loops = build_worker(
        setup, database, signer, build_senders(setup.settings, setup.data_dir, signer)
    )
    keep_what_is_built()
    asked_to_stop = asyncio.Event()
    told = partial(asyncio.get_running_loop().call_soon_threadsafe, asked_to_stop.set)
    with leaving.instead(told):
        bell = Bell(database, loops.ring)
        bell.start()
        loops.start()
        try:
            await asked_to_stop.wait()
        finally:
            await loops.stop()
            await bell.stop()
            await database.close()
