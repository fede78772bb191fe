"""The verdict on fraud flags of a month: who counts, what fails, and that what is missing fails too."""

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from claims_assets.models.governance.fairness import ATTRIBUTES, UNKNOWN
from claims_assets.monitoring.flag_fairness import (
    NothingToJudge,
    counts_of,
    flags_of,
    verdicts,
)

MONTH = "2024-06"


@pytest.fixture
def filled(lake):
    """`filled(gender={"F": (flagged, members), ...})`: a lake of scored claims of these members, in one month."""

    def write(**attributes):
        ((name, groups),) = attributes.items()
        members, scores = [], []
        for group, (flagged, size) in groups.items():
            for n in range(size):
                member = f"{group}{n}"
                members.append({"member_id": member, "claim_month": MONTH} | dict.fromkeys(ATTRIBUTES) | {name: group})
                scores.append({"member_id": member, "fraud_percentile": 0.97 if n < flagged else 0.5})
        schema = pa.schema([("member_id", pa.string()), ("claim_month", pa.string())])
        schema = pa.schema([*schema, *[pa.field(a, pa.string()) for a in ATTRIBUTES]])
        write_deltalake(
            str(lake.path("gold", "member_features")),
            pa.Table.from_pylist(members, schema),
            partition_by=["claim_month"],
        )
        write_deltalake(
            str(lake.path("gold", "claim_fraud_scores")),
            pa.Table.from_pylist([s | {"claim_month": MONTH} for s in scores]),
            partition_by=["claim_month"],
        )
        return lake

    return write


@pytest.mark.requirement("R30")
def test_groups_that_are_flagged_alike_are_fair(filled):
    (verdict,) = verdicts(filled(gender={"F": (60, 1000), "M": (55, 900)}), MONTH, ["gender"], 95.0)
    assert verdict.fair
    assert verdict.reason == ""
    assert verdict.worst_ratio == "1.02"


@pytest.mark.requirement("R30", "R31")
@pytest.mark.parametrize("hits", [150, 0])
def test_a_group_that_is_flagged_otherwise_fails_and_so_does_one_that_never_is(filled, hits):
    (verdict,) = verdicts(filled(gender={"F": (60, 1000), "M": (hits, 900)}), MONTH, ["gender"], 95.0)
    assert not verdict.fair
    assert verdict.reason.startswith("gender: M has ")


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("groups", [{"F": (60, 1000)}, {"F": (60, 1000), "M": (2, 9)}, {"F": (1, 12), "M": (1, 9)}])
def test_what_can_not_be_compared_is_not_called_fair(filled, groups):
    (verdict,) = verdicts(filled(gender=groups), MONTH, ["gender"], 95.0)
    assert not verdict.fair
    assert "nothing shows that it is fair" in verdict.reason
    assert verdict.worst_ratio == "none"


@pytest.mark.requirement("R31")
def test_without_scores_there_is_no_verdict(filled, lake):
    with pytest.raises(NothingToJudge, match=f"No claim of {MONTH} has a fraud score"):
        verdicts(lake, MONTH, ["gender"], 95.0)
    with pytest.raises(NothingToJudge, match="No claim of 2024-07 has a fraud score"):
        verdicts(filled(gender={"F": (60, 1000)}), "2024-07", ["gender"], 95.0)


def test_the_percentile_decides_which_claims_are_flagged():
    scores = pa.Table.from_pylist(
        [{"member_id": m, "fraud_percentile": p} for m, p in (("A", 0.2), ("A", 0.95), ("B", 0.9), ("C", None))]
    )
    assert flags_of(scores, 95.0) == {"A": (1, 2), "B": (0, 1)}
    assert flags_of(scores, 90.0) == {"A": (1, 2), "B": (1, 1)}
    assert flags_of(scores, 99.0) == {"A": (0, 2), "B": (0, 1)}


def test_claims_of_members_of_unknown_group_or_not_enrolled_are_a_group():
    members = pa.Table.from_pylist(
        [{"member_id": m, "race": r} for m, r in (("A", "White"), ("B", None), ("C", "Unknown"), ("X", "Asian"))]
    )
    flags = {"A": (1, 3), "B": (0, 1), "C": (1, 1), "gone": (1, 2)}
    assert counts_of(members, flags, "race") == {"White": (1, 3), UNKNOWN: (2, 4)}
    assert counts_of(None, flags, "race") == {UNKNOWN: (3, 7)}
