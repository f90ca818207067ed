"""How often a browser may ask: as its person once its cookie has opened something."""

from pathlib import Path

from app.db.session import Database
from tests.api.limited import Hand, at, replica
from tests.web.signing import HTML, shown, sign_in
from tests.world import World


async def test_a_cookie_is_counted_as_its_person_and_an_invented_one_by_address(
    database: Database, data_dir: Path, world: World
) -> None:
    await world.person()
    app = replica(database, data_dir, Hand(), rate_limit_reads="3/minute")
    async with at(app, "192.0.2.1") as browser:
        await sign_in(browser)  # one read of the address: the form
        assert (await browser.get("/", headers=HTML)).status_code == 200  # and another
        cookies = dict(browser.cookies)
    seen = []
    for turn in range(4):  # from wherever, they are this person's now
        async with at(app, f"192.0.2.{10 + turn}") as browser:
            browser.cookies.update(cookies)
            seen.append((await browser.get("/", headers=HTML)).status_code)
    assert seen == [200, 200, 200, 429]
    invented = []
    for turn in range(4):
        async with at(app, "192.0.2.99") as browser:
            browser.cookies["__Host-tocsin"] = f"tbl_invented{turn}"
            invented.append((await browser.get("/", headers=HTML)).status_code)
    assert invented == [303, 303, 303, 429]


async def test_who_asks_too_often_with_a_browser_gets_a_page(
    database: Database, data_dir: Path, world: World
) -> None:
    app = replica(database, data_dir, Hand(), rate_limit_reads="1/minute")
    async with at(app) as browser:
        await browser.get("/login", headers=HTML)
        answer = await browser.get("/login", headers=HTML)
        told = await browser.get("/login", headers={"Accept": "application/json"})
    assert answer.status_code == told.status_code == 429
    assert "Too often" in shown(answer).text
    assert int(answer.headers["retry-after"]) > 0
    assert told.json()["code"] == "RATE_LIMITED"


async def test_signing_in_is_counted_among_logins(
    database: Database, data_dir: Path, world: World
) -> None:
    await world.person()
    app = replica(database, data_dir, Hand(), rate_limit_logins="2/minute")
    async with at(app) as browser:
        for expected in (401, 401, 429):
            assert (await sign_in(browser, password="wrong")).status_code == expected
