"""`claims models serve` as a user starts it: the table's numbers for good requests, one sentence for bad ones."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from claims_assets.cli.serving import BadRequest, checked
from claims_assets_tests.console import claims
from claims_assets_tests.models.artifacts import INPUTS, artifact, members
from claims_assets_tests.models.registry import empty_registry

NAME = "er_utilization_predictor"
FITTED = artifact()
ROWS = members(40, seed=5)
COLUMNS = {
    "age": "double", "gender": "string", "dual_eligible": "double", "has_ckd": "boolean",
    "er_visit_count_12mo": "long", "total_paid_12mo": "double",
}  # fmt: skip
SECRET = "M-4711-secret"
"""A value that no answer may repeat."""


def records(frame):
    """Rows as a client writes them: null where a value is unknown."""
    return json.loads(frame.to_json(orient="records"))


def split(frame):
    rows = records(frame)
    return {"columns": list(frame.columns), "data": [[row[n] for n in frame.columns] for row in rows]}


def scores(answer):
    assert answer.status_code == 200, answer.text
    return np.array([p["score"] for p in answer.json()["predictions"]])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A CLAIMS_HOME with one champion and one model without."""
    folder = tmp_path_factory.mktemp("serving")
    tracking = empty_registry(folder / "mlflow", tmp_path_factory)
    for name in (NAME, "high_cost_predictor"):
        with tracking.run(name, {}) as run:
            tracking.register(run, name, FITTED, {"as_of_month": "2025-06"})
    tracking.crown(NAME, 1, "2025-06")
    return folder


@pytest.fixture(scope="module")
def address(home):
    """Of a running server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLAIMS_", "MLFLOW_"))}
    environ = kept | {"CLAIMS_HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    script = Path(sys.executable).with_name("claims")
    command = [str(script), "models", "serve", NAME, "--port", str(port)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        said = server.stdout.readline()
        assert said.startswith(f"Version 1 of {NAME}: POST http://127.0.0.1:{port}/invocations"), server.stderr.read()
        found = f"http://127.0.0.1:{port}"
        with requests.Session() as session:
            session.trust_env = False
            session.mount("http://", HTTPAdapter(max_retries=Retry(connect=12, backoff_factor=0.2)))
            assert session.get(f"{found}/ping", timeout=60).status_code == 200
        yield found
        server.terminate()
        assert "Traceback" not in server.communicate(timeout=30)[1]


@pytest.fixture
def post(address):
    """`post(body)`: the answer; text and bytes go as they are."""

    def send(body, **headers):
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Content-Type": "application/json"} | headers
            return session.post(f"{address}/invocations", data=content, headers=headers, timeout=60)

    return send


def test_the_server_says_that_it_is_well(address):
    with requests.Session() as session:
        session.trust_env = False
        assert [session.get(f"{address}/{p}", timeout=60).status_code for p in ("ping", "health")] == [200, 200]


@pytest.mark.parametrize("body", [{"dataframe_split": split(ROWS)}, {"dataframe_records": records(ROWS)}])
def test_the_answer_is_bit_for_bit_what_the_table_would_hold(post, body):
    answer = post(body)
    predicted = FITTED.predict(ROWS)
    assert scores(answer).tobytes() == predicted.tobytes()
    lower, upper = FITTED.interval(predicted)
    found = answer.json()["predictions"]
    assert [p["prediction"] for p in found] == FITTED.decide(predicted).tolist()
    assert np.array([p["lower"] for p in found]).tobytes() == lower.tobytes()
    assert np.array([p["upper"] for p in found]).tobytes() == upper.tobytes()


def test_an_unknown_boolean_is_not_false_and_an_unknown_integer_not_zero(post):
    rows = ROWS.head(2).assign(age=[np.nan, 0.0], dual_eligible=[None, False])
    assert scores(post({"dataframe_split": split(rows)})).tobytes() == FITTED.predict(rows).tobytes()


def test_order_of_columns_and_more_columns_than_needed_change_nothing(post):
    more = ROWS.assign(member_id=SECRET)[[*reversed(INPUTS), "member_id"]]
    assert scores(post({"dataframe_split": split(more)})).tobytes() == FITTED.predict(ROWS).tobytes()


def row(**values):
    """A good row but for these."""
    return {"dataframe_records": [records(ROWS.head(1))[0] | values]}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"dataframe_split": split(ROWS.drop(columns=["age", "has_ckd"]))}, "Columns are missing: age, has_ckd."),
        ({"dataframe_records": [{"age": 1}]}, "Columns are missing: gender, dual_eligible,"),
        (row(age=SECRET), "Column age takes numbers, true or false, or null; a row holds something else."),
        (row(age="12"), "Column age takes numbers"),
        (row(has_ckd=None), "Column has_ckd takes true or false;"),
        (row(has_ckd=SECRET), "Column has_ckd takes true or false;"),
        (row(gender=1), "Column gender takes text or null;"),
        (row(er_visit_count_12mo=1.5), "Column er_visit_count_12mo takes whole numbers;"),
        (row(er_visit_count_12mo=None), "Column er_visit_count_12mo takes whole numbers;"),
        (row(er_visit_count_12mo=2**63), "Column er_visit_count_12mo takes whole numbers;"),
        (row(total_paid_12mo=10**400), "Column total_paid_12mo takes numbers"),
        (row(total_paid_12mo=[SECRET]), "Column total_paid_12mo takes numbers"),
        (f'{{"dataframe_records": [{{"age": "{SECRET}"', "The body is no JSON object: send"),
        (f'["{SECRET}"]', "The body is no JSON object: send"),
        (b"\xff\xfe" + SECRET.encode(), "The body is no JSON object: send"),
        ('{"dataframe_records": [{"age": NaN}]}', "The body is no JSON object: send"),
        ("[" * 100_000, "The body is no JSON object: send"),
        ({"inputs": SECRET}, "The body must have one key: send"),
        ({"dataframe_split": split(ROWS), "dataframe_records": []}, "The body must have one key: send"),
        ({"dataframe_split": SECRET}, "dataframe_split needs a list of columns and a list of rows"),
        ({"dataframe_split": {"columns": INPUTS, "data": [[SECRET]]}}, "A row has not as many values as"),
        ({"dataframe_records": []}, "There are no rows to score: send at least one."),
        ({"dataframe_split": {"columns": INPUTS, "data": []}}, "There are no rows to score: send at least one."),
        ({"dataframe_split": {"columns": [*INPUTS, "age"], "data": []}}, "A column is given twice"),
        ({"dataframe_split": split(ROWS) | {"index": SECRET}}, "The request could not be scored"),
        ({"dataframe_records": {"age": SECRET}}, "dataframe_records needs a list of objects"),
    ],
)  # fmt: skip
def test_a_bad_request_gets_one_sentence_without_a_trace_or_a_value(post, body, sentence):
    answer = post(body)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error_code", "message"}
    assert answer.json()["message"].startswith(sentence)
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert 'File "' not in answer.text


def test_only_json_is_taken(post):
    answer = post(f"age\n{SECRET}\n", **{"Content-Type": "text/csv"})
    assert (answer.status_code, SECRET in answer.text) == (415, False)
    assert answer.json()["message"].startswith("The body must be JSON")


def test_a_request_that_is_too_long_is_refused(post):
    assert post(b" " * (64 * 2**20 + 1)).status_code == 413


def test_many_at_once_each_get_their_own_answer(post):
    """Among them bad ones, which must not disturb the others."""

    def one(seed):
        rows = members(3 + seed % 7, seed=seed)
        if seed % 5 == 0:
            return post({"dataframe_split": split(rows.drop(columns=["age"]))}).status_code == 400
        return scores(post({"dataframe_split": split(rows)})).tobytes() == FITTED.predict(rows).tobytes()

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(one, range(100)))


def test_only_this_machine_is_served(address):
    """Another address of the loopback network reaches it only if it listens on all of them."""
    port = int(address.rpartition(":")[2])
    with requests.Session() as session, pytest.raises(requests.ConnectionError):
        session.trust_env = False
        session.get(f"http://127.0.0.2:{port}/ping", timeout=10)


def test_what_can_not_be_served_is_refused_with_one_sentence(home, address):
    refusals = [
        (("er",), "There is no model 'er'"),
        (("high_cost_predictor",), "high_cost_predictor has no champion to serve"),
        ((NAME, "--port", address.rpartition(":")[2]), "is taken or not allowed: give another with --port."),
    ]
    for arguments, sentence in refusals:
        done = claims(home, "models", "serve", *arguments)
        assert done.returncode == 1
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*INPUTS, "data", "columns"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["dataframe_split", "dataframe_records", "inputs"]), JSON_VALUES) | JSON_VALUES)
@settings(max_examples=200, deadline=None)
def test_whatever_is_sent_is_fine_or_refused_by_name(body):
    try:
        checked(json.dumps(body).encode(), COLUMNS)
    except BadRequest as error:
        assert str(error)
