"""What a command needs before it can do anything: settings, a data folder, the secret key, and a
database that is there and migrated. Whatever it starts is stopped when the command ends."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core import logging as tocsin_logging
from app.core import secret_file, telemetry
from app.core.config import Settings
from app.core.errors import SetupError
from app.core.load import load_settings
from app.core.security import Signer
from app.db import migrations
from app.db.connect import require_usable
from app.db.embedded import EmbeddedPostgres, default_data_dir
from app.db.keeper import kept_up
from app.db.url import driver_url
from app.main import Setup, build_senders

DATABASE_NAME = "tocsin"


def settings_with(**overrides: object) -> Settings:
    """The settings, those that the command was given before all others; logs go by them."""
    given = {name: value for name, value in overrides.items() if value is not None}
    settings = load_settings(**given)
    tocsin_logging.configure(settings.log_level, settings.log_format)
    return settings


def data_folder(settings: Settings) -> Path:
    """Where everything is kept that is no row; made if it is not there."""
    folder = (settings.data_dir or default_data_dir()).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"The data folder {folder} cannot be used: {error.strerror}. Choose another with"
            " TOCSIN_DATA_DIR."
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SetupError(
            f"The data folder {folder} cannot be written to. Choose another with TOCSIN_DATA_DIR."
        )
    return folder


def secret_of(settings: Settings, data_dir: Path) -> str:
    """The secret key, of the settings or else of the data folder."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return secret_file.load_or_make(data_dir)


@contextmanager
def set_up(settings: Settings, listener: socket.socket | None = None) -> Iterator[Setup]:
    """A database that is there and migrated, and everything else that settings leave open."""
    data_dir = data_folder(settings)
    secret_key = secret_of(settings, data_dir)
    # What is set wrong shall be said now, not by the first page that cannot leave.
    build_senders(settings, data_dir, Signer(secret_key))
    with database_at(settings, data_dir) as url:
        asyncio.run(require_usable(url))
        migrations.upgrade(url)
        with telemetry.tracing(settings.otlp_endpoint):
            yield Setup(
                settings=settings,
                database_url=url,
                data_dir=data_dir,
                secret_key=secret_key,
                public_url=settings.public_url or own_url(settings, listener),
            )


@contextmanager
def database_at(settings: Settings, data_dir: Path) -> Iterator[str]:
    """The URL of a server that answers: the one that is set, or our own as long as this lasts."""
    if settings.database_url is not None:
        yield driver_url(settings.database_url.get_secret_value())
        return
    server = EmbeddedPostgres(data_dir)
    try:  # no `with`: told to leave just after the start, we would not have come into it
        server.start()
        server.ensure_database(DATABASE_NAME)
        with kept_up(server):
            yield server.url(DATABASE_NAME)
    finally:
        server.stop()


def own_url(settings: Settings, listener: socket.socket | None) -> str:
    """Where we can be reached, as far as we know."""
    port = listener.getsockname()[1] if listener else settings.port
    host = "localhost" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
