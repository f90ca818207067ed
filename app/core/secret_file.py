"""The installation's own secret, for those who set none: made once, kept in the data folder.

It is written aside and then linked into its place, so that whoever sees the file sees all of
it, and whoever comes second reads what the first one made.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from app.core.errors import SetupError

NAME = "secret_key"
SHORTEST = 32


def load_or_make(folder: Path) -> str:
    """The secret kept in `folder`. Whoever comes first makes it; the rest read the same one."""
    path = folder / NAME
    try:
        if not path.exists():
            _make(path)
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SetupError(
            f"The secret key cannot be kept in {path}: {error.strerror}. Choose another folder"
            " with TOCSIN_DATA_DIR, or set TOCSIN_SECRET_KEY."
        ) from None
    except UnicodeDecodeError:
        raise _damaged(path) from None
    if len(secret) < SHORTEST:
        raise _damaged(path)
    return secret


def _make(path: Path) -> None:
    aside = path.with_name(f"{NAME}.{secrets.token_hex(8)}")
    try:
        made = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _damaged(path: Path) -> SetupError:
    return SetupError(
        f"The secret in {path} is damaged; delete the file (everybody logs in anew) or set"
        " TOCSIN_SECRET_KEY."
    )
