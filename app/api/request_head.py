"""What comes before a body: bounded like it, and refused in the shape that every error has.

The server itself takes headers of any number and length into memory before it asks anybody, and
what it cannot read it refuses with a line of text.
"""

import logging
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api.errors import envelope

log = logging.getLogger("tocsin.http")

LARGEST_HEAD = 64 * 1024  # of the address and all headers, those after a body included
TOO_LARGE = f"The address and the headers are larger than {LARGEST_HEAD:,} bytes together."
UNREADABLE = "This is no HTTP request that can be read."
REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class TooLargeError(Exception):
    """More than anybody has to say before the body."""


class BoundedHeads(HttpToolsProtocol):
    """Hangs up on whoever never ends their headers, and tells them why."""

    _head = 0  # bytes of this request's address and headers
    _pending = 0  # bytes of which the parser has made nothing yet
    _is_too_large = False

    def data_received(self, data: bytes) -> None:
        self._pending += len(data)
        super().data_received(data)
        if self._pending > LARGEST_HEAD and not self.transport.is_closing():
            self._is_too_large = True
            self.send_400_response(TOO_LARGE)

    def on_message_begin(self) -> None:
        self._head = self._pending = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._pending = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._pending = 0
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._pending = 0
        self._head += size
        if self._head > LARGEST_HEAD:
            self._is_too_large = True
            raise TooLargeError  # to the parser, which stops and asks for the refusal

    def send_400_response(self, msg: str) -> None:
        """The answer to what is not read, whatever the server says about it."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()  # nothing can be put into the middle of an answer
            return
        request_id = uuid4().hex
        if self._is_too_large:
            answer = envelope(request_id, 431, "HEADERS_TOO_LARGE", TOO_LARGE)
        else:
            answer = envelope(request_id, 400, "BAD_REQUEST", UNREADABLE)
        status = answer.status_code
        log.info("request.unread", extra={"status": status, "request_id": request_id})
        answer.headers["X-Request-ID"] = request_id
        answer.headers["Connection"] = "close"
        lines = [b"HTTP/1.1 %d %s" % (status, REASONS[status])]
        lines += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        self.transport.close()
