"""The pages are tested on the service that the tests of the API share."""

from tests.api.conftest import app, built

__all__ = ["app", "built"]
