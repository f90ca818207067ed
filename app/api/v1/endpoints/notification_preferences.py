"""Which channels a person has switched on."""

from fastapi import APIRouter

from app.api.bounds import BoundedRoute

router = APIRouter(
    prefix="/notification-preferences", tags=["notification preferences"], route_class=BoundedRoute
)
