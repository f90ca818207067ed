"""Clients that strangers generate from our document compile, and do a round trip.

Each generator is installed into a folder of the test's own: one of them needs other versions of
what we use. Where their registries cannot be reached, there is nothing to test.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.absent import absent
from tests.process.service import Service, run

pytestmark = [pytest.mark.peer, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
PYTHON_GENERATOR = "openapi-python-client==0.29.1"
LENIENT = "--default-non-nullable=false"  # what has a default need not be sent
UNREACHABLE = re.compile(
    "No matching distribution|Could not find a version|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENETUNREACH"
    "|EAI_AGAIN|Temporary failure in name resolution|Network is unreachable|E404|network timeout"
)


@pytest.fixture
def service(data_dir: Path) -> Iterator[Service]:
    running = Service(data_dir)
    yield running
    running.end()
    run(data_dir, "migrate")


def called(*command: str | Path, where: Path) -> str:
    """What a program says; if it fails, the test does."""
    result = subprocess.run(
        list(map(str, command)), check=False, cwd=where, capture_output=True, text=True, timeout=600
    )
    told = result.stdout + result.stderr
    assert result.returncode == 0, told[-4_000:]
    return told


def installed(*command: str | Path, where: Path) -> None:
    """Install from a registry. A developer may be without one; CI never is, and fails there."""
    result = subprocess.run(
        list(map(str, command)), check=False, cwd=where, capture_output=True, text=True, timeout=600
    )
    told = result.stdout + result.stderr
    if result.returncode != 0 and UNREACHABLE.search(told):
        text = f"{command[0]} cannot reach a registry that has what this test needs"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)  # on a train: nothing but this test needs what is installed here
    assert result.returncode == 0, told[-4_000:]


def document(service: Service, folder: Path) -> Path:
    """The document as the running service gives it."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(service.http.get("/openapi.json").json()))
    return path


def test_a_generated_python_client_does_a_round_trip(service: Service, tmp_path: Path) -> None:
    called(sys.executable, "-m", "venv", tmp_path / "venv", where=tmp_path)
    programs = tmp_path / "venv" / "bin"
    installed(programs / "pip", "install", "--quiet", PYTHON_GENERATOR, where=tmp_path)
    target = tmp_path / "tocsin_client"
    options = ("--output-path", target, "--meta", "none")
    generator = programs / "openapi-python-client"
    told = called(
        generator, "generate", "--path", document(service, tmp_path), *options, where=tmp_path
    )
    assert "WARNING" not in told, told  # such as an operation that it leaves out
    generated = {path.stem for path in (target / "api").rglob("*.py")}
    operations = service.http.get("/openapi.json").json()["paths"].values()
    named = {one["operationId"] for methods in operations for one in methods.values()}
    assert named - generated == set()
    (tmp_path / "round_trip.py").write_text((HERE / "python_round_trip.py").read_text())
    python = programs / "python"
    told = called(
        python, "-W", "error", "round_trip.py", service.url, service.password, where=tmp_path
    )
    assert "read back incident" in told


def test_a_generated_typescript_client_does_a_round_trip(service: Service, tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        absent("npm", "npm")
    for path in (HERE / "typescript").iterdir():
        shutil.copy(path, tmp_path)
    installed(npm, "install", "--no-audit", "--no-fund", "--no-package-lock", where=tmp_path)
    programs = tmp_path / "node_modules" / ".bin"
    source = document(service, tmp_path)
    called(
        programs / "openapi-typescript", source, "--output", "tocsin.d.ts", LENIENT, where=tmp_path
    )
    called(programs / "tsc", "--noEmit", where=tmp_path)
    called(programs / "tsc", where=tmp_path)
    out = tmp_path / "out" / "round_trip.js"
    told = called(node, out, service.url, service.password, where=tmp_path)
    assert "read back incident" in told
