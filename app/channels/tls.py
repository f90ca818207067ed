"""Whom we trust when we call out over TLS."""

import ssl
from functools import cache

import httpx


@cache  # reading the authorities takes longer than many a send
def client_context() -> ssl.SSLContext:
    """A verifying context that trusts this machine's authorities and the well-known ones.

    Both, because a slim container has no authorities of its own, and a company's own
    authority is in no public list.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
