"""The history of alerts: what is published is what is stored, by id, and keeps its contract."""

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.contracts import compiled
from claims_assets.monitoring.alerts import TABLE, Alert, Alerts, publish, stored
from claims_assets.runtime.delta import read_arrow
from claims_assets.runtime.lake import Lake

PAGE = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"
ALERT = Alert(
    alert_id="a1",
    kind="quality",
    subject="silver/members",
    asset="silver/members",
    claim_month=None,
    severity="warning",
    what="The quality score of silver/members is 70.0 of 100, below 80.",
    remedy="See which rules are broken.",
    page="assets/silver/members?view=checks",
    since="2024-05-01T12:00:00Z",
    opened_at="2024-05-01T12:00:00Z",
    channels=("slack", "mail"),
)
alerts = st.builds(
    replace,
    st.just(ALERT),
    alert_id=st.sampled_from(["a1", "a2", "a3"]),
    claim_month=st.sampled_from([None, "2024-03"]),
    recovered_at=st.sampled_from([None, "2024-05-02T12:00:00Z"]),
    opened_to=st.sampled_from([(), ("slack",), ("slack", "mail")]),
)


def test_there_is_no_history_before_the_first_alert(lake):
    assert stored(lake) == []
    publish(lake, [])
    assert not lake.path(*TABLE).exists()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(alerts, max_size=3, unique_by=lambda a: a.alert_id), min_size=1, max_size=4))
def test_the_last_that_was_published_under_an_id_stands(tmp_path_factory, rounds):
    lake = Lake(root=str(tmp_path_factory.mktemp("lake")))
    last = {}
    for changed in rounds:
        publish(lake, changed)
        last |= {a.alert_id: a for a in changed}
    assert {a.alert_id: a for a in stored(lake)} == last


def test_the_table_has_the_columns_of_its_contract_and_is_read_by_sql(lake):
    publish(lake, [ALERT, replace(ALERT, alert_id="a2", recovered_at="2024-05-02T12:00:00Z")])
    rows = read_arrow(lake.path(*TABLE), list(compiled(Alerts).columns))
    assert rows.schema.names == compiled(Alerts).arrow_schema().names
    assert isinstance(rows, pa.Table)
    with duckdb.connect() as db:
        open_now = db.execute("select alert_id, array_to_string(channels, ' ') from rows where recovered_at is null")
        found = open_now.fetchall()
    assert found == [("a1", "slack mail")]


@pytest.mark.requirement("R19")
def test_the_queries_of_the_page_run_and_find_what_they_say(lake):
    told = replace(ALERT, alert_id="a2", subject="gold/pmpm", since="2024-05-01T13:00:00Z", opened_to=("slack", "mail"))
    over = replace(ALERT, alert_id="a3", subject="silver/encounters", recovered_at="2024-05-02T12:00:00Z")
    publish(lake, [ALERT, told, over])
    rows = read_arrow(lake.path(*TABLE), list(compiled(Alerts).columns))
    with duckdb.connect() as db:
        db.register("alerts", rows)
        open_now, worst, waiting = (db.execute(q.replace("30 days", "9999 days")).fetchall() for q in queries())
    assert [row[2] for row in open_now] == ["silver/members", "gold/pmpm"]
    assert {row[1]: row[2] for row in worst} == {"silver/members": 1, "gold/pmpm": 1, "silver/encounters": 1}
    assert [row[-1] for row in worst if row[1] == "silver/encounters"] == [24.0]
    assert [row[0] for row in waiting] == ["silver/members"]


def queries():
    """The SQL of docs/alerts.md."""
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [q for q in block.split(";") if q.strip()]


def test_it_is_written_without_an_engine_whatever_the_engine_is(tmp_path):
    lake = Lake(root=str(tmp_path), engine="spark")
    publish(lake, [ALERT])
    assert stored(lake) == [ALERT]
