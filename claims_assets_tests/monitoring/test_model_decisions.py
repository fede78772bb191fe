"""The record of decisions: rows are added once, read in their order, and never changed."""

from datetime import UTC, datetime, timedelta

from claims_assets.contracts import compiled
from claims_assets.monitoring.model_decisions import (
    TABLE,
    Decision,
    ModelDecisions,
    decision_id,
    record,
    rolled_back,
    stored,
)

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def decision(name="high_cost_predictor", version=1, **given):
    return Decision(
        **{
            "decision_id": decision_id(name, "2026-03", version),
            "model_name": name,
            "claim_month": "2026-03",
            "decision": "refused",
            "challenger": version,
            "reasons": ("It is not better than the rule of thumb.",),
            "decided_at": NOON,
            "actor": "gate",
        }
        | given
    )


def test_a_decision_comes_back_as_it_was_recorded(lake):
    full = decision(notes=("one note",), value=0.5, value_low=0.4, gain_on_rule=-0.1, run_id="run", champion_before=3)
    assert record(lake, [full]) == [full]
    assert stored(lake) == [full]


def test_the_same_decision_is_recorded_once_and_the_first_one_stays(lake):
    assert record(lake, [decision()])
    assert record(lake, [decision(decision="promoted", decided_at=NOON + timedelta(hours=1))]) == []
    assert [d.decision for d in stored(lake)] == ["refused"]


def test_decisions_come_in_their_order_and_by_model(lake):
    record(lake, [decision(version=2, decided_at=NOON + timedelta(hours=1)), decision()])
    record(lake, [decision(name="total_cost_predictor")])
    assert [d.challenger for d in stored(lake, "high_cost_predictor")] == [1, 2]
    assert len(stored(lake)) == 3


def test_two_rollbacks_in_one_month_are_two_rows(lake):
    for hours in (1, 2):
        at = NOON + timedelta(hours=hours)
        what = rolled_back("high_cost_predictor", "2026-03", 3, 2, reason="worse", actor="ana", decided_at=at)
        assert record(lake, [what])
    assert [(d.decision, d.champion_before, d.champion_after) for d in stored(lake)] == [("rolled_back", 3, 2)] * 2


def test_nothing_recorded_is_nothing_stored(lake):
    assert stored(lake) == []
    assert record(lake, []) == []
    assert not lake.exists(*TABLE)


def test_no_column_can_name_a_member():
    assert not {"member_id", "outcome", "predicted"} & compiled(ModelDecisions).columns.keys()
