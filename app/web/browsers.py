"""What somebody signed in with, in words that they know it by: “Firefox on Windows”.

A browser calls itself by the names of others, too, so the order tells: who is named first here
is meant. Whatever is no browser keeps its own name.
"""

import re

BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Samsung Internet", r"SamsungBrowser/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:HeadlessChrome|Chrome|CriOS)/(\d+)"),
    ("Safari", r"Version/(\d+)[\d.]* (?:Mobile/\w+ )?Safari/"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("ChromeOS", "CrOS"),
    ("macOS", "Mac OS X|Macintosh"),
    ("Linux", "Linux|X11"),
)
LONGEST = 60


def told(agent: str | None) -> str:
    """A browser and what it runs on, as far as it says so."""
    if not agent:
        return "A program"
    name = next((name for name, form in BROWSERS if re.search(form, agent)), None)
    system = next((name for name, form in SYSTEMS if re.search(form, agent)), None)
    if name is None:
        return agent.split(" ", maxsplit=1)[0].replace("/", " ")[:LONGEST]
    return f"{name} on {system}" if system else name


def is_handheld(agent: str | None) -> bool:
    """Whether it is carried about."""
    return bool(re.search("iPhone|iPad|Android|Mobile", agent or ""))
