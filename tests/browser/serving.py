"""The whole service on a port of its own, with its loops and the demo's story in its database."""

import asyncio
import socket
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from app.api.state import Service
from app.core.load import load_settings
from app.demo import show
from app.main import create_app
from app.services.subscriber_keys import Keys
from tests import unlimited
from tests.contract.served import Server, setup

T = TypeVar("T")
MAIL_FROM = "Tocsin <tocsin@example.org>"


class Serving(Server):
    """Entered, it serves; `url` is where, and where its links lead."""

    def __init__(self, database_url: str, data_dir: Path, **settings: Any) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        url = "http://{}:{}".format(*listener.getsockname())
        chosen = load_settings(
            password_rounds=4,
            allow_private_targets="127.0.0.1/32",
            public_url=url,
            mail_from=MAIL_FROM,
            **unlimited.SETTINGS,
            **settings,
        )
        made = replace(setup(database_url, data_dir), settings=chosen, public_url=url)
        super().__init__(create_app(made))
        self._socket.close()
        self._socket, self.url = listener, url

    @property
    def service(self) -> Service:
        found: Service = self.app.state.service
        return found

    async def there(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of `work`, done on the server's loop while the browser's goes on."""
        doing: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return await asyncio.wrap_future(doing)

    async def tell_the_demo(self) -> dict[str, str]:
        """Seed the demo; the passwords of who can sign in, by first name."""
        service = self.service
        made = await self.there(
            show.make(
                service.database,
                service.passwords,
                Keys(service.signer, service.vault),
                anew=False,
                beside=True,
            )
        )
        return {login.name.split()[0]: login.password for login in made.logins}
