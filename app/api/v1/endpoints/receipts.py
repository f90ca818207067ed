"""What providers say about the messages they took."""

from fastapi import APIRouter

from app.api.bounds import BoundedRoute

router = APIRouter(prefix="/receipts", tags=["receipts"], route_class=BoundedRoute)
