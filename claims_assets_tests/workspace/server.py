"""The workspace as an HTTP server on loopback: routes, authentication, faults, a bounded log of requests.

with serving(folder, tokens=["dapi-local"]) as workspace:
    workspace.url
"""

import collections
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from claims_assets_tests.workspace.cluster import Cold, Warm
from claims_assets_tests.workspace.dbfs import Dbfs
from claims_assets_tests.workspace.errors import ApiError, invalid
from claims_assets_tests.workspace.faults import Faults
from claims_assets_tests.workspace.identity import Identity
from claims_assets_tests.workspace.permissions import Permissions
from claims_assets_tests.workspace.runs import Runs
from claims_assets_tests.workspace.scopes import SecretScopes
from claims_assets_tests.workspace.volumes import Volumes

REQUESTS_KEPT = 10_000
Answer = Callable[[dict[str, Any]], dict[str, Any] | bytes]
FILES_API = "fs/"
"""Its bodies and answers are the files themselves."""


class Request(NamedTuple):
    """One call, as the log keeps it."""

    method: str
    path: str
    status: int


class Workspace:
    """All APIs of one workspace, and the log of what was asked."""

    def __init__(
        self,
        root: Path,
        *,
        tokens: Sequence[str] = (),
        clients: Mapping[str, str] | None = None,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        warm: bool = False,
        spark_conf: Mapping[str, str] | None = None,
    ):
        """
        Args:
            root: folder of DBFS and of the running tasks.
            tokens: personal access tokens that are let in.
            clients: service principals, id -> secret.
            secrets: scope -> key -> value.
            warm: tasks are forked from a process that has imported the libraries already.
            spark_conf: start a classic Spark session with this before each task, as Databricks does; None: only if
                the task asks for it.
        """
        self.url = ""
        self.dbfs, self.identity = Dbfs(root / "dbfs"), Identity(tokens, clients)
        self.volumes = Volumes(root / "files")
        self.scopes, self.permissions, self.faults = SecretScopes(secrets), Permissions(), Faults()
        starter = Warm(root / "cluster") if warm else Cold()
        self.runs = Runs(root, self.dbfs, self.volumes, self.identity, self.faults, starter, spark_conf=spark_conf)
        self.requests: collections.deque[Request] = collections.deque(maxlen=REQUESTS_KEPT)
        self.denied: dict[str, str] = {}
        """Call -> the sentence with which it is refused, as to someone without the permission."""
        self._answers: dict[tuple[str, str], Answer] = {
            ("POST", "dbfs/create"): self.dbfs.create,
            ("POST", "dbfs/add-block"): self.dbfs.add_block,
            ("POST", "dbfs/close"): self.dbfs.close,
            ("POST", "dbfs/put"): self.dbfs.put,
            ("GET", "dbfs/read"): self.dbfs.read,
            ("POST", "dbfs/delete"): self.dbfs.delete,
            ("POST", "dbfs/mkdirs"): self.dbfs.mkdirs,
            ("GET", "dbfs/get-status"): self.dbfs.get_status,
            ("GET", "dbfs/list"): self.dbfs.list,
            ("POST", "jobs/runs/submit"): self.runs.submit,
            ("GET", "jobs/runs/get"): self.runs.get,
            ("GET", "jobs/runs/get-output"): self.runs.output,
            ("POST", "jobs/runs/cancel"): self.runs.cancel,
            ("GET", "clusters/get"): self.runs.cluster,
            ("POST", "clusters/events"): lambda body: {"events": [], "total_count": 0, **self.runs.cluster(body)},
            ("GET", "libraries/cluster-status"): lambda body: {"cluster_id": body["cluster_id"], "statuses": []},
            ("GET", "secrets/scopes/list"): self.scopes.list_scopes,
            ("POST", "secrets/scopes/create"): self.scopes.create,
            ("GET", "secrets/list"): self.scopes.list,
            ("GET", "secrets/get"): self.scopes.get,
            ("POST", "secrets/put"): self.scopes.put,
            ("GET", "preview/scim/v2/Me"): lambda _: {"id": "1", "userName": "local@example.org", "active": True},
        }

    def answer(self, method: str, path: str, body: dict[str, Any], authorization: str | None) -> dict[str, Any] | bytes:
        """The answer to one call."""
        if path == "/oidc/.well-known/oauth-authorization-server":
            return self.identity.endpoints(self.url)
        if path == "/oidc/v1/token":
            return self.identity.token(authorization)
        if path.startswith("/admin/"):
            return self._administer(path.removeprefix("/admin/"), body)
        if not path.startswith("/api/"):
            raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'")
        call = path.split("/", 3)[3]
        self.identity.check(authorization)
        if call in self.denied:
            raise ApiError(403, "PERMISSION_DENIED", self.denied[call])
        self.faults.of_call(call, after=False)
        given = self._route(method, call)(body)
        self.faults.of_call(call, after=True)
        return given

    def _route(self, method: str, call: str) -> Answer:
        found = self._answers.get((method, call))
        if found:
            return found
        if call.startswith(FILES_API):
            what = call.removeprefix(FILES_API)
            return lambda body: self.volumes.answer(method, what, body["content"])
        kind, _, rest = call.partition("/")
        if kind == "permissions" and rest.count("/") == 1:
            of, name = rest.split("/")
            if method in ("PATCH", "PUT"):
                return lambda body: self.permissions.update(of, name, body)
            return lambda _: self.permissions.get(of, name)
        raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} /{call}'")

    def _administer(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """Calls that no real workspace has: make it fail. Loopback only, so without a token."""
        if what == "faults":
            return self.faults.add(body)
        if what == "expire-tokens":
            self.identity.expire_all()
        elif what == "kill-clusters":
            self.runs.kill_clusters()
        else:
            raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No such fault: {what}")
        return {}


def _handler(workspace: Workspace) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # header and body in one packet: two would wait for each other's acknowledgement
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the console; the workspace keeps its own log."""

        def _any(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, answer = 200, workspace.answer(self.command, url.path, _body(url, raw), self._caller())
            except ApiError as error:
                status, answer = error.status, {"error_code": error.code, "message": error.message}
            except KeyError as error:
                status, answer = 400, {"error_code": "MALFORMED_REQUEST", "message": f"Missing required field: {error}"}
            workspace.requests.append(Request(self.command, url.path, status))
            self._reply(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        def _caller(self) -> str | None:
            return self.headers.get("Authorization")

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any

    return Handler


def _body(url: urllib.parse.SplitResult, raw: bytes) -> dict[str, Any]:
    """Query parameters and JSON body in one; the token endpoint alone is sent a form."""
    body: dict[str, Any] = dict(urllib.parse.parse_qsl(url.query))
    if url.path.startswith(f"/api/2.0/{FILES_API}"):
        return body | {"content": raw}
    if raw and not url.path.startswith("/oidc/"):
        try:
            body |= json.loads(raw)
        except ValueError:
            raise invalid("The body is no JSON object.") from None
    return body


@contextmanager
def serving(root: Path, *, port: int = 0, **options: Any) -> Iterator[Workspace]:
    """A workspace on a port of loopback (default: a free one) while the block runs; options as of `Workspace`."""
    workspace = Workspace(root, **options)
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(workspace))
    server.daemon_threads = True
    workspace.url = workspace.runs.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield workspace
    finally:
        workspace.runs.stop()
        server.shutdown()
        server.server_close()
        thread.join()
        workspace.dbfs.stop()
