"""A registered model over HTTP: MLflow's own scoring server, with answers to bad requests that people can use.

MLflow's answers to a bad request repeat its rows and show a trace. So a request is held against the model's signature
first, and whatever is refused is refused with one sentence that names columns and never a value. What a good request
gets is MLflow's answer, byte for byte. Elsewhere: what the model takes (`models/signature.py`), the endpoint on
Databricks (`deploy/serving`).
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
SCORE_PATH = "/invocations"
JSON = "application/json"
SPLIT, RECORDS = "dataframe_split", "dataframe_records"
LARGEST_WHOLE, LARGEST = 2**63 - 1, 3.4e38
"""Of a 64-bit integer, and of the 32-bit numbers that trees compare."""
LONGEST = 64 * 1024 * 1024
"""Bytes of a request: some 50,000 members."""
BAD_REQUEST, TOO_LONG, NOT_JSON = 400, 413, 415
FORMS = f'send {{"{SPLIT}": {{"columns": [...], "data": [[...], ...]}}}} or {{"{RECORDS}": [{{...}}, ...]}}'
UNSCORED = f"The request could not be scored: {FORMS}, with the columns of the model."


class BadRequest(ValueError):
    """A request that can't be scored; the message is for whoever sent it."""


def checked(content: bytes, columns: Mapping[str, str]) -> None:
    """Hold a request against the model's columns.

    Args:
        content: body of the request.
        columns: column -> MLflow's type.

    Raises:
        BadRequest: it can't be scored.
    """
    try:
        # MLflow would take NaN and Infinity, which are no JSON.
        request = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        raise BadRequest(f"The body is no JSON object: {FORMS}.")
    if len(request) != 1 or not request.keys() <= {SPLIT, RECORDS}:
        raise BadRequest(f"The body must have one key: {FORMS}.")
    (form, rows), *_ = request.items()
    values = _of_split(rows, columns) if form == SPLIT else _of_records(rows, columns)
    for name, found in values:
        _check(name, found, columns[name])


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _of_split(rows: Any, columns: Mapping[str, str]) -> Iterable[tuple[str, list[Any]]]:
    names = rows.get("columns") if isinstance(rows, dict) and rows.keys() <= {"columns", "data", "index"} else None
    data = rows.get("data") if names is not None else None
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names) or not isinstance(data, list):
        raise BadRequest(f"{SPLIT} needs a list of columns and a list of rows: {FORMS}.")
    if len(set(names)) < len(names):
        raise BadRequest("A column is given twice: give each column once.")
    _refuse_none(data)
    if not all(isinstance(row, list) and len(row) == len(names) for row in data):
        raise BadRequest("A row has not as many values as there are columns: give one for each, null for unknown.")
    _refuse_missing(columns.keys() - set(names), columns)
    return ((n, [row[i] for row in data]) for i, n in enumerate(names) if n in columns)


def _of_records(rows: Any, columns: Mapping[str, str]) -> Iterable[tuple[str, list[Any]]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadRequest(f"{RECORDS} needs a list of objects: {FORMS}.")
    _refuse_none(rows)
    _refuse_missing({n for row in rows for n in columns.keys() - row.keys()}, columns)
    return ((n, [row[n] for row in rows]) for n in columns)


def _refuse_none(rows: Sequence[Any]) -> None:
    if not rows:
        raise BadRequest("There are no rows to score: send at least one.")


def _refuse_missing(missing: set[str], columns: Mapping[str, str]) -> None:
    if missing:
        named = ", ".join(n for n in columns if n in missing)
        raise BadRequest(f"Columns are missing: {named}. Give each row all of them, null where a value is unknown.")


WANTED = {
    "string": "text or null",
    "boolean": "true or false",
    "long": "whole numbers",
    "double": "numbers, true or false, or null",
}
"""MLflow's type -> what a column of it takes. A double may stand for a boolean that may be missing."""


def _check(name: str, values: Sequence[Any], kind: str) -> None:
    if not all(_fits(v, kind) for v in values):
        raise BadRequest(f"Column {name} takes {WANTED[kind]}; a row holds something else.")


def _fits(value: Any, kind: str) -> bool:
    if kind == "string":
        return value is None or isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_WHOLE
    return value is None or (isinstance(value, int | float) and abs(value) <= LARGEST)


def app_of(model: Path) -> Any:
    """MLflow's server of a stored model, as an application of Starlette."""
    from mlflow.pyfunc import load_model, scoring_server
    from starlette.requests import Request
    from starlette.responses import Response

    loaded = load_model(str(model))
    schema = loaded.metadata.get_input_schema()
    if schema is None:
        raise ValueError(f"{model} has no signature: it was not registered by this project.")
    columns = {i.name: i.type.name for i in schema.inputs}
    app = scoring_server.init(loaded)

    @app.middleware("http")
    async def one_sentence(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.path != SCORE_PATH or request.method != "POST":
            return await call_next(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            return _refusal(NOT_JSON, f"The body must be JSON, with content-type {JSON}: {FORMS}.")
        content = await request.body()
        if len(content) > LONGEST:
            return _refusal(TOO_LONG, f"The body is longer than {LONGEST // 2**20} MB: send the rows in parts.")
        try:
            checked(content, columns)
        except BadRequest as error:
            return _refusal(BAD_REQUEST, str(error))
        response = await call_next(request)
        return response if response.status_code < BAD_REQUEST else _refusal(response.status_code, UNSCORED)

    return app


def _refusal(status: int, sentence: str) -> Any:
    from starlette.responses import JSONResponse

    return JSONResponse({"error_code": "BAD_REQUEST", "message": sentence}, status_code=status)


def serve(model: Path, port: int) -> None:
    """Serve a stored model on the loopback interface until the process is asked to end."""
    import uvicorn

    uvicorn.run(app_of(model), host=LOOPBACK, port=port, log_level="warning")
