"""Everything that happens later."""

from app.worker.runner import Worker

__all__ = ["Worker"]
