"""A page on this machine alone that shows the newest picture, as MJPEG, and a line of numbers."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ampose.errors import InputError
from ampose.live.meter import Status

DEFAULT_PORT = 8017
HOST = "127.0.0.1"

MAX_VIEWERS = 16
"""The most streams at a time; one more is refused."""

_HIGHEST_PORT = 65_535
_QUALITY = 80
_STUCK = 10.0
"""Seconds after which a viewer that neither asks nor reads is dropped."""

_BOUNDARY = "frame"
_PAGE = Path(__file__).parent / "page.html"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # Other sites may neither show the stream nor frame the page.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Page:
    """Serves the page while its ``with`` block lasts.

    Attributes:
        url: where to look.

    Args:
        numbers: called for the numbers in the line below the picture.
        port: on the loopback interface; 0 picks a free one.

    Raises:
        InputError: the port cannot be used.
    """

    def __init__(self, numbers: Callable[[], Status], port: int = DEFAULT_PORT) -> None:
        if not 0 <= port <= _HIGHEST_PORT:
            raise InputError(f"--port must be 0 to {_HIGHEST_PORT:,}, got {port}")
        self._newest = _Newest()
        try:
            self._server = _Server(port, self._newest, numbers)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                why = "is in use"
            else:
                why = f"cannot be used ({error.strerror or error})"
            raise InputError(
                f"port {port} {why}; give another --port, or --port 0 for any that is free"
            ) from None
        self.url = f"http://{HOST}:{self._server.server_port}/"

    def __enter__(self) -> Page:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._newest.end()
        self._server.shutdown()
        self._server.server_close()

    @property
    def viewers(self) -> int:
        """Streams that are being watched."""
        return self._newest.viewers

    def show(self, picture: NDArray[np.uint8]) -> None:
        """Makes (H, W, 3) uint8 RGB the newest picture; costs nothing while nobody watches."""
        if self._newest.viewers:
            self._newest.put(_jpeg(picture))


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


class _Newest:
    """The newest picture, for any number of viewers, none of whom can hold up another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._picture = b""
        self._number = 0
        self._ended = False
        self.viewers = 0

    def put(self, picture: bytes) -> None:
        with self._changed:
            self._picture = picture
            self._number += 1
            self._changed.notify_all()

    def after(self, number: int) -> tuple[int, bytes] | None:
        """The first picture after the one of this number; None when no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._number > number)
            return None if self._ended else (self._number, self._picture)

    def enter(self) -> int | None:
        """Lets a viewer in, who waits for the picture after this one; None where it is full."""
        with self._changed:
            if self.viewers >= MAX_VIEWERS:
                return None
            self.viewers += 1
            return self._number

    def leave(self) -> None:
        with self._changed:
            self.viewers -= 1

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class _Server(ThreadingHTTPServer):
    # On Windows this would let two programs share the port.
    allow_reuse_address = os.name != "nt"
    daemon_threads = True

    def __init__(self, port: int, newest: _Newest, numbers: Callable[[], Status]) -> None:
        self.newest = newest
        self.numbers = numbers
        super().__init__((HOST, port), _Handler)
        # A page of another site, whose name leads here, says that name.
        names = (HOST, "localhost")
        self.hosts = {f"{name}:{self.server_port}" for name in names}
        if self.server_port == 80:  # browsers leave it out
            self.hosts.update(names)

    def server_bind(self) -> None:
        # HTTPServer's own asks for this machine's name, which can take seconds without a network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer's trouble is not the run's."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _STUCK
    server_version = "ampose"
    sys_version = ""

    def do_GET(self) -> None:
        if self.headers.get("Host", "") not in self.server.hosts:
            self.send_error(HTTPStatus.FORBIDDEN, "unknown host")
            return
        match self.path:
            case "/":
                self._send("text/html; charset=utf-8", _PAGE.read_bytes())
            case "/numbers.json":
                self._send("application/json", _as_json(self.server.numbers()))
            case "/overlay.mjpeg":
                self._stream()
            case _:
                self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing: standard error is the user's."""

    def _send(self, kind: str, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self) -> None:
        number = self.server.newest.enter()
        if number is None:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, f"{MAX_VIEWERS} viewers already")
            return
        try:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.end_headers()
            # Browsers show a part when they see the boundary that ends it.
            self.wfile.write(f"--{_BOUNDARY}\r\n".encode())
            while found := self.server.newest.after(number):
                number, picture = found
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + f"\r\n--{_BOUNDARY}\r\n".encode())
        finally:
            self.server.newest.leave()


def _as_json(status: Status) -> bytes:
    numbers = {
        "shown": status.shown,
        "dropped": status.dropped,
        "people": status.people,
        "rate": status.rate,
        "delay_ms": 1000 * status.delay,
        "high_delay_ms": 1000 * status.high_delay,
    }
    known = {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in numbers.items()
    }
    return json.dumps(known).encode()
