"""Real servers on the loopback interface that take alerts: HTTP and SMTP."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

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


class Post(Controller):
    """A mail server that keeps what it gets."""

    server: asyncio.Server

    def __init__(self, *, refusing: str | None = None, **how: Any):
        super().__init__(self, hostname="127.0.0.1", port=0, **how)
        self.mails: list[EmailMessage] = []
        self.receivers: list[list[str]] = []
        self.sign_ins: list[str] = []
        self.refusing = refusing
        """Answer by which each sender is refused."""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.refusing:
            return self.refusing
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content, EmailMessage, policy=policy.default))
        self.receivers.append(envelope.rcpt_tos)
        return "250 OK"

    def _trigger_server(self):
        # Only now is the port known that the system has chosen; the library takes 0 for it.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def serving(server: Web) -> Iterator[Web]:
    """The server, answering until the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def receiving(server: Post) -> Iterator[Post]:
    """The mail server, receiving until the end."""
    server.start()
    try:
        yield server
    finally:
        server.stop()
