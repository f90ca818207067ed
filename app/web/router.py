"""The pages, and the files they load."""

from fastapi import APIRouter, FastAPI

from app.web import faults
from app.web.faults import failure
from app.web.pages import account, acknowledge, frame, home, phone, sessions, status
from app.web.statics import Statics

router = APIRouter()
router.include_router(home.router)
router.include_router(acknowledge.router)
router.include_router(account.router)
router.include_router(status.router)
router.include_router(phone.router)
router.include_router(sessions.router)
router.include_router(frame.router)


__all__ = ["failure", "install"]


def install(app: FastAPI) -> None:
    """Put the pages into an application that has its own way to tell of errors already."""
    app.include_router(router)
    faults.install(app)
    app.mount("/static", Statics(), name="static")
