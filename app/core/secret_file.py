"""The installation's own secret, for those who set none: made once, kept in the data folder."""

import os
import secrets
from pathlib import Path

from app.core.errors import SetupError

NAME = "secret_key"


def load_or_make(folder: Path) -> str:
    """The secret kept in `folder`. Whoever comes first makes it; the rest read the same one."""
    path = folder / NAME
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise _unusable(path, error) from None
    with os.fdopen(made, "w") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret


def _read(path: Path) -> str:
    try:
        secret = path.read_text().strip()
    except OSError as error:
        raise _unusable(path, error) from None
    if len(secret) < 32:
        raise SetupError(
            f"The secret in {path} is damaged; delete the file (everybody logs in anew) or set"
            " TOCSIN_SECRET_KEY."
        )
    return secret


def _unusable(path: Path, error: OSError) -> SetupError:
    return SetupError(f"The secret key cannot be kept in {path}: {error.strerror}.")
