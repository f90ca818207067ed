"""Browsers by the names that people know, whatever they call themselves."""

import pytest

from app.web.browsers import is_handheld, told

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
ANDROID = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words", "is_carried"),
    [
        (f"{MAC} Version/18.1 Safari/605.1.15", "Safari on macOS", False),
        (
            f"{PHONE} (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
            True,
        ),
        (
            f"{PHONE} (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
            True,
        ),
        (f"{WINDOWS} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows", False),
        (f"{ANDROID} Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android", True),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
            "Firefox on Linux",
            False,
        ),
        ("curl/8.14.1", "curl 8.14.1", False),
        ("x" * 500, "x" * 60, False),
        ("", "A program", False),
        (None, "A program", False),
    ],
)
def test_a_browser_is_told_by_its_name(agent: str | None, words: str, is_carried: bool) -> None:
    assert told(agent) == words
    assert is_handheld(agent) is is_carried
