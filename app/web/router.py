"""The pages, and the files they load."""

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from app.web.pages import account, acknowledge, home
from app.web.templating import STATIC

router = APIRouter()
router.include_router(home.router)
router.include_router(acknowledge.router)
router.include_router(account.router)


def install(app: FastAPI) -> None:
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
