from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ampose.errors import InputError
from ampose.live import Meter, Page, page

PATIENCE = 30


@pytest.fixture
def shown() -> Iterator[Page]:
    meter = Meter(iter(range(100)).__next__)
    meter.show(-0.25, 2)  # now is 0
    with Page(lambda: meter.status, 0) as served:
        yield served


def port_of(served: Page) -> int:
    return int(served.url.rsplit(":", 1)[1].strip("/"))


def ask(served: Page, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port_of(served), timeout=PATIENCE)
    connection.request(method, path, headers=headers)
    return connection.getresponse()


def next_picture(stream: HTTPResponse) -> NDArray[np.uint8]:
    """Reads one part, its boundary already read, and the boundary after it."""
    head = {}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(": ")
        head[name] = value
    assert head["Content-Type"] == "image/jpeg"
    content = stream.read(int(head["Content-Length"]))
    assert stream.readline() == b"\r\n"
    assert stream.readline() == b"--frame\r\n"
    return np.asarray(Image.open(io.BytesIO(content)))


def watch(served: Page) -> HTTPResponse:
    viewers = served.viewers
    stream = ask(served, "/overlay.mjpeg")
    assert stream.getheader("Content-Type") == "multipart/x-mixed-replace; boundary=frame"
    assert stream.readline() == b"--frame\r\n"
    assert served.viewers == viewers + 1
    return stream


def grey(value: int, size: tuple[int, int] = (32, 48)) -> NDArray[np.uint8]:
    return np.full((*size, 3), value, np.uint8)


def test_pictures_arrive_at_every_viewer(shown: Page) -> None:
    streams = watch(shown), watch(shown)
    for value in (30, 200):
        shown.show(grey(value))
        for stream in streams:
            picture = next_picture(stream)
            assert picture.shape == (32, 48, 3)
            assert np.abs(picture.astype(int) - value).max() <= 2


def test_nothing_is_encoded_while_nobody_watches(
    shown: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_jpeg", lambda _: pytest.fail("nobody is there"))
    shown.show(grey(0))


def test_a_viewer_who_does_not_read_holds_nobody_up(shown: Page) -> None:
    with socket.create_connection(("127.0.0.1", port_of(shown))) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(f"GET /overlay.mjpeg HTTP/1.0\r\nHost: {shown.url[7:-1]}\r\n\r\n".encode())
        assert stuck.recv(12).startswith(b"HTTP/1.0 200")
        other = watch(shown)
        noise = np.random.default_rng(0).integers(0, 255, (1000, 1000, 3), np.uint8)
        for _ in range(20):  # 20 megabytes: more than lie in any buffer on the way
            shown.show(noise)
            assert next_picture(other).shape == noise.shape
        assert shown.viewers == 2


def test_who_comes_late_sees_what_is_new(shown: Page) -> None:
    first = watch(shown)
    shown.show(grey(30))
    next_picture(first)
    second = watch(shown)
    shown.show(grey(200))
    assert next_picture(second).mean() == pytest.approx(200, abs=2)


def test_a_viewer_who_leaves_is_forgotten(shown: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    left = threading.Event()
    leave = page._Newest.leave

    def noted(self: page._Newest) -> None:
        leave(self)
        left.set()

    monkeypatch.setattr(page._Newest, "leave", noted)
    stream = watch(shown)
    stream.close()
    while not left.is_set():  # a write or two succeed into the buffers of a closed connection
        shown.show(grey(0))
        left.wait(0.01)
    assert shown.viewers == 0


def test_too_many_viewers_are_refused(shown: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_VIEWERS", 1)
    stream = watch(shown)
    assert ask(shown, "/overlay.mjpeg").status == 503
    stream.close()


def test_streams_end_with_the_page() -> None:
    with Page(lambda: Meter().status, 0) as served:
        stream = watch(served)
    assert stream.read() == b""


def test_the_page_and_its_numbers(shown: Page) -> None:
    answer = ask(shown, "/")
    text = answer.read().decode()
    assert answer.status == 200
    assert "estimated" in text
    assert "overlay.mjpeg" in text
    assert "http" not in text  # nothing from elsewhere
    assert answer.getheader("Cross-Origin-Resource-Policy") == "same-origin"
    assert "frame-ancestors 'none'" in (answer.getheader("Content-Security-Policy") or "")
    assert json.loads(ask(shown, "/numbers.json").read()) == {
        "shown": 1, "dropped": 0, "people": 2, "rate": None,
        "delay_ms": 250, "high_delay_ms": 250,
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/nosuch", "/../page.py", "/overlay.mjpeg/", "/?x"])
def test_there_is_nothing_else(shown: Page, path: str) -> None:
    assert ask(shown, path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(shown: Page, method: str) -> None:
    assert ask(shown, "/", method).status == 501


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", ""])
@pytest.mark.parametrize("path", ["/", "/overlay.mjpeg", "/numbers.json"])
def test_pages_of_other_names_are_refused(shown: Page, host: str, path: str) -> None:
    """A site whose name was pointed at this machine (DNS rebinding) sends that name."""
    assert ask(shown, path, Host=host.format(port=port_of(shown))).status == 403


def test_localhost_is_a_name_of_this_machine(shown: Page) -> None:
    assert ask(shown, "/", Host=f"localhost:{port_of(shown)}").status == 200


def test_a_broken_request_says_nothing_on_standard_error(
    shown: Page, capfd: pytest.CaptureFixture[str]
) -> None:
    for request in (b"\x00\xff\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"x" * 70_000):
        with socket.create_connection(("127.0.0.1", port_of(shown))) as connection:
            connection.sendall(request + b"\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            try:
                while connection.recv(65536):
                    pass
            except ConnectionResetError:
                pass
    assert ask(shown, "/").status == 200
    assert capfd.readouterr() == ("", "")


def test_it_listens_on_this_machine_alone(shown: Page) -> None:
    assert shown._server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_cannot_be(port: int) -> None:
    with pytest.raises(InputError, match=f"--port must be 0 to 65,535, got {port}"):
        Page(lambda: Meter().status, port)


def test_a_port_in_use(shown: Page) -> None:
    with pytest.raises(InputError, match=r"port \d+ is in use; give another --port"):
        Page(lambda: Meter().status, port_of(shown))


def test_the_port_is_free_afterwards() -> None:
    make: Callable[[int], Page] = lambda port: Page(lambda: Meter().status, port)  # noqa: E731
    with make(0) as served:
        port = port_of(served)
    with make(port):
        pass
