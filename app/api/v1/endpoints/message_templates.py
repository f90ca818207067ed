"""How an installation words its messages."""

from fastapi import APIRouter

from app.api.bounds import BoundedRoute

router = APIRouter(
    prefix="/message-templates", tags=["message templates"], route_class=BoundedRoute
)
