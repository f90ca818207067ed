"""What `tocsin seed-demo` says, and what it asks."""

import sys
from collections.abc import Callable

from app.core.errors import SetupError, TocsinError
from app.core.security import Passwords
from app.db.session import Database
from app.demo import show
from app.demo.show import DemoRefusedError, Found, Made
from app.services.subscriber_keys import Keys

CONSENT = "demo"

Say = Callable[[str], None]


async def seed(
    database: Database,
    passwords: Passwords,
    seals: Keys,
    where: tuple[str, str],
    say: Say,
    *,
    reset: bool,
    yes: bool,
) -> None:
    """Make the demo, or make it anew, and say who can log in. Refuses to stand beside anything real
    unless somebody says so. `where` its mail lies, and where to look."""
    found = await show.look(database)
    if found.is_made and not reset:
        say("The demo is there already. `tocsin seed-demo --reset` tells it anew, with new")
        say("passwords: its incidents are deleted, and nothing that you have made.")
        return
    if found.is_in_use:
        _require_consent(found, say, reset=reset, yes=yes)
    try:
        made = await show.make(database, passwords, seals, anew=reset, beside=found.is_in_use)
    except DemoRefusedError as error:
        raise SetupError(f"Somebody else has just made something: {error}. Try again.") from None
    except TocsinError as error:
        raise SetupError(f"The demo does not fit in here: {error.message}") from None
    _tell(made, where, say)


def _require_consent(found: Found, say: Say, *, reset: bool, yes: bool) -> None:
    """Nobody has a demo put beside what they work with unless they say so."""
    if not reset:
        raise SetupError(
            f"This database is in use ({found.told()}). Give the demo one of its own, with another"
            " TOCSIN_DATA_DIR or DATABASE_URL. To put it beside what is there all the same:"
            " tocsin seed-demo --reset."
        )
    if yes:
        return
    if not sys.stdin.isatty():
        raise SetupError(
            f"This database is in use ({found.told()}), and nobody is there to ask. Add --yes if"
            " the demo shall be put beside that; nothing of it is changed or deleted."
        )
    say(f"This database is in use: {found.told()}.")
    say("The demo is put beside that; nothing but what the demo itself has made is deleted.")
    if input(f"Type the word {CONSENT} to go on: ").strip() != CONSENT:
        raise SetupError("Nothing was done.")


def _tell(made: Made, where: tuple[str, str], say: Say) -> None:
    say(f"\nThe demo is there: {made.incidents} incidents, one of them live and unanswered.")
    say("Who can log in (these passwords are shown this once):")
    for login in made.logins:
        say(f"  {login.role:<10} {login.email:<28} {login.password}   {login.name}")
    if made.tool_key is not None:
        say(f"  Key of the integration “Prometheus (demo)”: {made.tool_key}")
    outbox, address = where
    say(f"Nobody real is paged: mail to these people always stays in {outbox}.")
    say(f"Start it with `tocsin serve`, then {address}\n")
