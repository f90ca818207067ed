"""The README's first steps work when they are pasted."""

import json
import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest

from app.domain.integration import IntegrationKind
from app.integrations import PARSERS
from app.integrations.elastic import TEMPLATE
from tests.process.service import ROOT, Service, run

README = (ROOT / "README.md").read_text()


def test_the_template_in_the_readme_is_the_one_we_read() -> None:
    shown = [
        textwrap.dedent(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    ]
    assert TEMPLATE.strip() in [block.strip() for block in shown]
    assert PARSERS[IntegrationKind.ELASTIC](TEMPLATE.encode()).alerts


@pytest.mark.crash
def test_the_first_steps_work_when_pasted(data_dir: Path) -> None:
    section = README.split("## First steps")[1].split("\n## ")[0]
    steps = section.split("```sh\n")[1].split("```")[0]
    service = Service(data_dir)
    try:
        pasted = steps.replace("http://127.0.0.1:8000", service.url)
        pasted = pasted.replace("PASSWORD='…'", f"PASSWORD='{service.password}'")
        assert service.url in pasted
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", pasted.replace("curl -s", "curl -fsS -w '\\n'")],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LANG": "C.UTF-8"},
        )
        assert result.returncode == 0, result.stderr
        answers = [json.loads(line) for line in result.stdout.splitlines() if line.strip()]
        assert [answer["status"] for answer in answers[-2:]] == ["acknowledged", "resolved"]
    finally:
        service.end()
        run(data_dir, "migrate")
