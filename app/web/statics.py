"""The files that pages load. At an address that names their edition they may be kept for good;
at any other one a browser asks whether they have changed."""

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.web.templating import EDITION, STATIC

FOR_GOOD = "public, max-age=31536000, immutable"
ASK = "no-cache"
# A script that is run as a worker goes by the policy that it comes with.
WORKER_POLICY = "default-src 'none'; connect-src 'self'; script-src 'self'; frame-ancestors 'none'"


class Statics(StaticFiles):
    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        edition, _, rest = path.partition("/")
        is_named = edition == EDITION and rest != ""
        # A page of the release before may still be open: it gets what there is now.
        answer = await super().get_response(rest if edition.startswith("~") else path, scope)
        answer.headers["Cache-Control"] = FOR_GOOD if is_named else ASK
        if path.endswith(".js"):
            answer.headers["Content-Security-Policy"] = WORKER_POLICY
        return answer
