"""What makes the console an app on a phone: its service worker, and the page without a network.

The worker stands at the root because it may only look after what is below it. Browsers ask
whether it has changed each time, and it speaks to nobody but us.
"""

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse

from app.api.deps import FromAnybody
from app.web.templating import STATIC, page

router = APIRouter(include_in_schema=False, dependencies=[FromAnybody])

WORKER_POLICY = "default-src 'none'; connect-src 'self'"


@router.get("/sw.js")
async def show_worker() -> FileResponse:
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": WORKER_POLICY}
    return FileResponse(STATIC / "js" / "sw.js", media_type="text/javascript", headers=headers)


@router.get("/offline")
async def show_offline() -> HTMLResponse:
    return page("offline.html")
