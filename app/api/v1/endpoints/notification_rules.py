"""In which order, and after how long, a person is paged over what."""

from fastapi import APIRouter

from app.api.bounds import BoundedRoute

router = APIRouter(tags=["notification rules"], route_class=BoundedRoute)
