"""What a machine without a container engine can check of the image and of compose.yaml."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from app.api.serving import SHUTDOWN_PATIENCE
from app.cli import cli
from app.core.config import Settings
from app.core.load import load_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
TOCSIN = COMPOSE["services"]["tocsin"]
DATABASE = COMPOSE["services"]["database"]
BARE = {"DATABASE_URL", "REDIS_URL"}  # known without the prefix, too
SETTINGS = {f"TOCSIN_{name.upper()}" for name in Settings.model_fields} | BARE
SECRET = re.compile("SECRET|PASSWORD|TOKEN|SMTP_URL|GATEWAY_URL|STATUS_URL|DATABASE_URL")
# What an operator would write into .env, for what compose asks for.
GIVEN = {
    "POSTGRES_PASSWORD": "5f0c1e9a7b3d",
    "TOCSIN_PUBLIC_URL": "https://tocsin.example.org",
    "TOCSIN_SECRET_KEY": "k3F9vQ7mZx2LrT8wBn5JcY1dHs6GpA4eUoKiRzXq",
    "TOCSIN_SMTP_URL": "smtp://user:password@mail.example.org:587",
    "TOCSIN_MAIL_FROM": "Tocsin <tocsin@example.org>",
    "TOCSIN_FIRST_ADMIN_EMAIL": "ana@example.org",
}
VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as instructions with their arguments, on one line each."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    split = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    return [(name, " ".join(rest.split())) for name, rest in split]


def last_stage() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, arguments in instructions():
        if name == "FROM":
            found = {}
        found.setdefault(name, []).append(arguments)
    return found


def healthcheck() -> list[str]:
    """What the image runs to see whether it is well."""
    (line,) = last_stage()["HEALTHCHECK"]
    command: list[str] = json.loads(line.split("CMD ", 1)[1])
    return command


def test_the_image_is_made_from_the_python_we_promise_and_nothing_floating() -> None:
    stages = [arguments for name, arguments in instructions() if name == "FROM"]
    assert [stage.split()[0] for stage in stages] == ["python:3.11-slim"] * 2
    images = [service["image"] for service in COMPOSE["services"].values()]
    assert all(":" in image and not image.endswith(":latest") for image in images)


def test_it_runs_as_nobody_in_particular() -> None:
    stage = last_stage()
    (user,) = stage["USER"]
    uid, gid = user.split(":")
    assert int(uid) >= 10_000  # a number: an orchestrator can see that it is not root
    assert f"--uid {uid}" in stage["RUN"][0]
    assert f"--gid {gid}" in stage["RUN"][0]
    assert f"--owner={uid} --group={gid}" in stage["RUN"][0]
    assert list(stage).index("USER") > list(stage).index("RUN")


def test_its_data_lie_in_the_volume_that_its_user_owns() -> None:
    stage = last_stage()
    (volume,) = stage["VOLUME"]
    assert f"TOCSIN_DATA_DIR={volume}" in stage["ENV"][0].split()
    assert stage["RUN"][0].endswith(f" {volume}")
    assert f"data:{volume}" in TOCSIN["volumes"]


def test_what_it_runs_is_a_command_of_ours_and_no_shell() -> None:
    (line,) = last_stage()["CMD"]
    program, command, *options = json.loads(line)
    assert f'{program} = "app.cli:main"' in (ROOT / "pyproject.toml").read_text()
    known = get_command(cli).commands[command].params  # type: ignore[attr-defined]
    names = [name for parameter in known for name in parameter.opts]
    assert options[0] in names
    assert options == ["--host", "0.0.0.0"]
    assert last_stage()["EXPOSE"] == [str(Settings.model_fields["port"].default)]


def test_it_looks_after_itself_with_what_it_has() -> None:
    program, *_ = healthcheck()
    assert program == "python"  # a slim image has no curl


def test_everything_is_installed_by_hash_and_nothing_is_kept() -> None:
    installs = [
        line for name, run in instructions() if name == "RUN"
        for line in run.split("&&") if "pip install" in line
    ]  # fmt: skip
    assert len(installs) == 2
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    environment = " ".join(rest for name, rest in instructions() if name == "ENV")
    assert "PIP_NO_CACHE_DIR=1" in environment


def copied() -> list[str]:
    """What the image takes from this folder."""
    return [
        source
        for name, arguments in instructions()
        if name == "COPY" and "--from=" not in arguments
        for source in arguments.split()[:-1]
    ]


def test_all_that_is_copied_is_here_and_gets_past_the_ignore_file() -> None:
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for source in copied():
        assert (ROOT / source).exists(), source
        verdict = [rule for rule in rules if fnmatch(source, rule.removeprefix("!"))][-1]
        assert verdict == f"!{source}"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert rules[0] == "*"
    assert let_in == set(copied())


def test_all_that_the_service_reads_at_run_time_is_copied() -> None:
    assert {"app", "alembic", "alembic.ini", "pyproject.toml", "README.md"} <= set(copied())


def test_every_setting_that_is_named_is_one() -> None:
    image = " ".join(rest for name, rest in instructions() if name in {"ENV", "HEALTHCHECK"})
    named = set(re.findall("TOCSIN_[A-Z_]+", image)) | set(TOCSIN["environment"])
    assert named - SETTINGS == set()
    read = {
        name
        for service in COMPOSE["services"].values()
        for value in service.get("environment", {}).values()
        for name, _, _ in VARIABLE.findall(value)
    }
    assert read - SETTINGS == {"POSTGRES_PASSWORD"}


def test_a_setting_is_passed_on_under_its_own_name() -> None:
    for name, value in TOCSIN["environment"].items():
        if name not in {"TOCSIN_ENVIRONMENT", "DATABASE_URL"}:
            assert VARIABLE.fullmatch(value)[1] == name  # type: ignore[index]


def test_no_secret_is_written_down_and_what_is_missing_is_told_in_a_sentence() -> None:
    asked = set()
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            variables = VARIABLE.findall(value)
            assert variables or not SECRET.search(name), name
            for variable, kind, text in variables:
                if kind == "?":
                    asked.add(variable)
                    assert text.startswith("Set it in .env to ")
                else:
                    assert (kind, text) == ("-", ""), variable
    assert asked == set(GIVEN)


def test_what_compose_starts_is_safe_for_production(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in TOCSIN["environment"].items():
        monkeypatch.setenv(name, VARIABLE.sub(lambda found: GIVEN.get(found[1], ""), value))
    settings = load_settings()
    assert settings.is_production
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == (
        "postgresql://tocsin:5f0c1e9a7b3d@database:5432/tocsin"
    )


def test_the_database_is_reached_by_tocsin_alone() -> None:
    assert "ports" not in DATABASE
    (network,) = DATABASE["networks"]
    assert COMPOSE["networks"][network] == {"internal": True}
    assert network in TOCSIN["networks"]
    assert TOCSIN["ports"] == ["127.0.0.1:8000:8000"]


def test_tocsin_waits_for_a_database_that_is_well() -> None:
    assert TOCSIN["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert DATABASE["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert DATABASE["image"] == "postgres:16"


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_comes_back_and_may_do_little(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    kept = [volume.split(":")[0] for volume in service.get("volumes", ())]
    assert set(kept) <= set(COMPOSE["volumes"])


def test_redis_is_there_only_for_who_asks_for_it() -> None:
    redis = COMPOSE["services"]["redis"]
    assert redis["profiles"] == ["redis"]
    assert "redis" not in TOCSIN["depends_on"]  # its loss costs speed only
    assert "ports" not in redis
    assert redis["networks"] == DATABASE["networks"]


def test_a_stop_is_given_the_time_it_takes() -> None:
    assert int(TOCSIN["stop_grace_period"].removesuffix("s")) > SHUTDOWN_PATIENCE
