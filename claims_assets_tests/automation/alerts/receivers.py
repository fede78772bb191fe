"""Real servers on the loopback interface that take alerts: HTTP and SMTP."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SILENT = "silent"
"""An answer that never comes."""


class Web(ThreadingHTTPServer):
    """Takes JSON; answers in the order given, then always 200."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Taker)
        self.answers: list[int | str] = []
        self.taken: list[dict] = []
        """What was answered by 200."""
        self.asked = 0
        self.headers: list[dict] = []
        self.gets = 0
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/s3cret"

    def of_kind(self, kind: str) -> list[dict]:
        return [m for m in self.taken if m.get("kind") == kind]


class _Taker(BaseHTTPRequestHandler):
    server: Web

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked += 1
        answer = self.server.answers.pop(0) if self.server.answers else 200
        if answer == SILENT:
            self.server.closing.wait(10)
            return
        code = int(answer)
        if code == 200:
            self.server.taken.append(body)
        self.send_response(code)
        self.send_header("Content-Length", "0")
        if 300 <= code < 400:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self):
        self.server.gets += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        pass


class Post(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it gets."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, *, refusing: int | None = None):
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.mails: list[str] = []
        self.receivers: list[str] = []
        self.refusing = refusing
        """Code by which each sender is refused."""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Clerk(socketserver.StreamRequestHandler):
    server: Post

    def handle(self):
        self._say(220, "ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split(maxsplit=1)[0].upper()
            if word == "QUIT":
                return self._say(221, "bye")
            if word == "MAIL" and self.server.refusing:
                self._say(self.server.refusing, "not now")
            elif word == "DATA":
                self._say(354, "go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.server.mails.append("".join(lines).replace("\r\n", "\n"))
                self._say(250, "taken")
            else:
                if word == "RCPT":
                    self.server.receivers.append(line)
                self._say(250, "well")

    def _say(self, code: int, text: str) -> None:
        self.wfile.write(f"{code} {text}\r\n".encode())


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator:
    """The server, answering until the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        if isinstance(server, Web):
            server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
