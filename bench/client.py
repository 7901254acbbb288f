"""A cheap client on plain sockets, because client and servers share a machine.

Sends requests over a few persistent connections and checks every answer's status.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Request = tuple[bytes, int]  # the request and the expected status
_END = b"\r\n\r\n"


@dataclass
class Figures:
    requests: int
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Return a percentile of the latencies in milliseconds."""
        return sorted(self.latencies)[int(len(self.latencies) * share)] * 1000


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + _END + body


def run(port: int, make: Callable[[int], Request], count: int, connections: int) -> Figures:
    """Send `count` requests, each from `make(number)`; each connection sends every n-th."""
    figures = Figures(count)
    faults: list[str] = []

    def work(first: int) -> None:
        with Connection(port) as connection:
            for number in range(first, count, connections):
                if faults:
                    return
                sent, expected = make(number)
                started = time.perf_counter()
                status, body = connection.send(sent)
                figures.latencies.append(time.perf_counter() - started)
                if status != expected:
                    faults.append(f"{sent[:60]!r}: {status} {body[:300]!r}")

    threads = [threading.Thread(target=work, args=[n]) for n in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures.seconds = time.perf_counter() - started
    if faults:
        raise RuntimeError(faults[0])
    return figures


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, content: bytes) -> tuple[int, bytes]:
        """Send a request, and return the status and the body of the answer."""
        self.socket.sendall(content)
        data = self._more(b"")
        while (end := data.find(_END)) < 0:
            data = self._more(data)
        head = data[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        while len(data) < end + len(_END) + length:
            data = self._more(data)
        return int(data[9:12]), data[end + len(_END) :]

    def _more(self, data: bytes) -> bytes:
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError("The server has closed the connection.")
        return data + received
