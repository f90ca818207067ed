"""Which Tocsin this is."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("tocsin")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "0+unknown"


VERSION = _installed()
