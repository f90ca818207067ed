"""The two files: the document as it is, and what clients were promised so far."""

import json
from pathlib import Path
from typing import Any

from app.main import describe
from tests.versioning.contract import Contract, read

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "openapi.json"
CONTRACT = ROOT / "docs" / "v1-contract.txt"


def told() -> dict[str, Any]:
    """The service's own document."""
    return describe()


def shown(document: dict[str, Any]) -> str:
    """The document as it is committed: in one order, readable as a difference."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def noted() -> Contract:
    """What was promised when somebody last wrote it down."""
    return read(CONTRACT.read_text().splitlines()) if CONTRACT.exists() else Contract()
