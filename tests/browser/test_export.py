"""The exported status page, served by a plain web server, in a browser without JavaScript."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web import export
from tests.browser.conftest import PHONE, Opener, Site
from tests.browser.watching import THEMES

pytestmark = pytest.mark.browser


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("export") / "status"


@pytest.fixture(scope="module")
def elsewhere(folder: Path) -> Iterator[str]:
    """Some other server, with the files in a folder of its own."""
    handler = functools.partial(_Quiet, directory=str(folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/status/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("theme", THEMES)
async def test_it_can_be_read_from_anywhere_and_each_link_leads_on(
    visit: Opener, site: Site, folder: Path, elsewhere: str, theme: str
) -> None:
    serving = site.serving
    await serving.there(export.export(serving.service.database, folder, site.url))
    seen = await visit(java_script_enabled=False, color_scheme=theme, viewport=PHONE)
    todo, done = {elsewhere}, set()
    while todo:
        address = todo.pop()
        done.add(address)
        if not address.endswith((".html", "/")):
            answer = await seen.page.request.get(address)
            assert answer.ok, address
            continue
        await seen.page.goto(address, wait_until="load")
        assert await seen.page.locator("h1").count() == 1
        colour = await seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour != "rgba(0, 0, 0, 0)", "the style sheet is not there"
        await seen.fits()
        links = await seen.page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
        here = {link.split("#")[0] for link in links if link.startswith(elsewhere)}
        todo |= here - done
    assert any(address.endswith("history.rss") for address in done)
    assert any("/incidents/" in address for address in done) == bool(
        list((folder / "incidents").glob("*.html"))
    )
