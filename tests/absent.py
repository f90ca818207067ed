"""What a test does without a program of the system's packages that Tocsin itself never needs."""

import os
from typing import NoReturn

import pytest


def absent(program: str, package: str) -> NoReturn:
    """Leave the test out on a developer's machine; in CI, which installs it, fail."""
    text = f"{program} is not installed (Debian: {package}); only this test needs it, CI has it"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)  # no developer must install a program that only CI has to see
