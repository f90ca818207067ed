"""House rules the import graph cannot see. A failure names the file and the line."""

import ast
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parents[2] / "app"
QUERYING = {
    "add", "add_all", "delete", "execute", "flush", "get", "merge", "refresh", "scalar",
    "scalars", "stream",
}  # fmt: skip


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(APP.rglob("*.py")):
        where = path.relative_to(APP).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield where, node


def test_only_crud_and_db_query() -> None:
    strays = [
        f"{where}:{call.lineno}"
        for where, call in _calls()
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "session"
        and call.func.attr in QUERYING
        and not where.startswith(("crud/", "db/"))
    ]
    assert strays == []


def test_only_the_session_module_ends_a_transaction() -> None:
    strays = [
        f"{where}:{call.lineno}"
        for where, call in _calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"commit", "rollback"}
        and where != "db/session.py"
    ]
    assert strays == []


def test_nobody_reads_the_process_clock_for_what_is_due() -> None:
    """Time is the database's, handed down as an argument."""
    strays = [
        f"{where}:{call.lineno}"
        for where, call in _calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"now", "utcnow", "today"}
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"datetime", "date"}
    ]
    assert strays == []


def test_only_the_settings_module_and_the_command_read_the_environment() -> None:
    strays = []
    for path in sorted(APP.rglob("*.py")):
        where = path.relative_to(APP).as_posix()
        if where in {"core/config.py", "cli.py", "db/embedded.py"}:
            continue
        strays += [
            f"{where}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        ]
    assert strays == []


def test_nothing_is_imported_inside_a_function() -> None:
    strays = []
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                strays += [
                    f"{path.relative_to(APP)}:{inner.lineno}"
                    for inner in ast.walk(node)
                    if isinstance(inner, ast.Import | ast.ImportFrom)
                ]
    assert strays == []
