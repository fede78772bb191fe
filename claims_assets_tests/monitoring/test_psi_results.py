"""Planted drift is told in the month it begins and in none before; so is what there is nothing to compare with."""

from dataclasses import asdict, replace

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from claims_assets import table
from claims_assets.contracts import compiled
from claims_assets.monitoring.drift import drift
from claims_assets.monitoring.drift_plot import heat_map, strongest
from claims_assets.monitoring.drift_rules import PREDICTION_COUNT, TOLD, conditions
from claims_assets.monitoring.model_performance import ModelPerformance
from claims_assets.monitoring.psi import EmptyReference
from claims_assets.monitoring.psi_results import KEY, PsiResults, _of_one, psi_results
from claims_assets.monitoring.reference_profiles import (
    ReferenceProfiles,
    column_of,
    of_column,
    reference_profiles,
    trained_on,
    unlike,
)
from claims_assets.partitions import add_months
from claims_assets.predictions.monthly_profiles import FEATURES, MonthlyProfiles
from claims_assets_tests.models.artifacts import artifact
from claims_assets_tests.models.registry import empty_registry
from claims_assets_tests.monitoring.planted import (
    FIRST,
    FIRST_JUDGED,
    KINDS,
    MONTHS,
    STARTS,
    Rows,
    amounts,
    np,
    population,
    profile,
    rows_of,
)

ER = "er_utilization_predictor"
WINTER = ("12", "01", "02")
NOTHING = {m: {} for m in MONTHS}
JUDGED = [m for m in MONTHS if m >= FIRST_JUDGED]


def as_read(rows: Rows) -> pd.DataFrame:
    """As the engine hands them over: each column with its oldest month."""
    frame = pd.DataFrame(rows)
    return frame.assign(first_month=frame.groupby(["subject", "column_name"])["claim_month"].transform("min"))


def moved(rows: Rows, months=MONTHS, trained=NOTHING) -> list[dict]:
    """Rows of `monitoring.psi_results`, by the functions that the engine calls."""
    found = []
    for _, of in as_read(rows).groupby(["subject", "column_name"]):
        references = of_column(of, months, trained).to_dict("records")
        for month in sorted(set(of["claim_month"]) & set(months)):
            now = of.loc[of["claim_month"] == month, :]
            key = dict(zip(KEY, now[list(KEY)].iloc[0], strict=True))
            before = [r for r in references if r["claim_month"] == month]
            found += _of_one(key | {"now": now.to_dict("records"), "before": before})
    empty = dict.fromkeys(PsiResults.to_schema().columns)
    return [empty | row for row in found]


def told(results: list[dict]) -> dict[str, set[tuple[str, str, str]]]:
    """Month -> what is warned of: subject, condition, column; not that most models predict nothing here."""
    by_month = {}
    for month in sorted({r["claim_month"] for r in results}):
        of = conditions(month, [r for r in results if r["claim_month"] == month], [])
        by_month[month] = {
            (f.subject, f.condition, f.about) for f in of if f.verdict in TOLD and f.condition != PREDICTION_COUNT
        }
    return by_month


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("mean shift", {("features", "drift_score", "age")}),
        ("missing values", {("features", "drift_score", "age"), ("features", "missing_values", "age")}),
        (
            "out of range",
            {("features", "drift_score", "total_paid_12mo"), ("features", "out_of_range", "total_paid_12mo")},
        ),
        (
            "category shift",
            {("population", "drift_score", "race"), ("population", "demographic_shift", "race")},
        ),
        (
            "prediction",
            {
                ("health_risk_score", "composite_drift", "health_risk_score"),
                ("health_risk_score", "prediction_shift", "health_risk_score"),
            },
        ),
    ],
)
def test_planted_drift_is_told_in_the_month_it_begins(kind, expected):
    by_month = told(moved(population(7, kind), [m for m in JUDGED if m > "2023-11"]))
    assert not any(of for m, of in by_month.items() if m < STARTS)
    found = by_month[STARTS]
    assert expected <= found
    if kind not in ("out of range", "prediction"):
        assert by_month[add_months(STARTS, 1)] >= expected, "and stays, as long as most of the year is as before"


@pytest.mark.requirement("R29")
def test_stable_years_raise_nothing():
    alarms = [told(moved(population(seed), JUDGED))[m] for seed in range(2) for m in JUDGED]
    assert len(alarms) == 2 * len(JUDGED)
    assert not any(alarms)


def test_a_season_is_no_drift():
    """Every winter a third of the members has flu: far from the year, near to the winter before."""
    draw = np.random.default_rng(3)
    flu = {m: profile((draw.random(3_000) < (0.3 if m[5:] in WINTER else 0.02)).astype(float)) for m in MONTHS}
    rows = rows_of(FEATURES, "recent_claim_count_90d", flu)
    results = moved(rows)
    winter = {r["reference"]: r["drift_score"] for r in results if r["claim_month"] == "2024-01"}
    assert winter["season"] == 0.0
    assert winter["year_before"] > 0.3
    assert not told(results)["2024-01"]


def test_a_month_whose_files_came_late_is_no_reference():
    draw = np.random.default_rng(5)
    late = "2023-08"
    cost = {m: profile(amounts(draw, m) * (0.2 if m == late else 1.0)) for m in MONTHS}
    column = column_of(as_read(rows_of(FEATURES, "recent_paid_90d", cost)))
    assert unlike(column.profiles, column.before("2024-04")) == [late]
    by_month = told(moved(rows_of(FEATURES, "recent_paid_90d", cost)))
    assert [m for m in MONTHS if by_month[m] and m >= FIRST_JUDGED] == [late]


@pytest.mark.requirement("R13")
def test_without_a_full_look_back_before_there_is_no_verdict():
    results = moved(population(1), [FIRST, "2022-12", "2023-04"])
    young = [r for r in results if r["claim_month"] < FIRST_JUDGED and r["subject"] == FEATURES]
    assert {(r["verdict"], r["psi"], r["reference_members"]) for r in young} == {("no_reference", None, 0)}
    assert all("full look-back" in r["absent"] for r in young)
    found = conditions(FIRST, [r for r in results if r["claim_month"] == FIRST], [])
    assert {f.verdict for f in found if f.condition == "drift_score"} == {"unknown"}


@pytest.mark.requirement("R13")
def test_a_month_without_its_reference_rows_is_an_error_and_not_stable():
    now = rows_of(FEATURES, "age", {STARTS: profile([50.0] * 20)})
    key = {"claim_month": STARTS, "subject": FEATURES, "column_name": "age"}
    for lacking in (None, []):
        with pytest.raises(EmptyReference, match=r"no reference for age of features in 2024-03: build it with"):
            list(_of_one(key | {"now": now, "before": lacking}))


@pytest.mark.requirement("R13")
def test_training_months_that_were_never_profiled_are_an_error():
    rows = as_read(rows_of(FEATURES, "age", {m: profile([50.0] * 20) for m in MONTHS}))
    lost = {STARTS: {"2024-01": ("2021-06", "2022-12")}}
    with pytest.raises(EmptyReference, match="from 2021-06 to 2022-12, on which the version as of 2024-01"):
        of_column(rows, [STARTS], lost)


def test_the_reference_of_a_version_is_the_months_it_was_trained_on():
    draw = np.random.default_rng(9)
    ages = {m: profile(draw.normal(40 if m < "2023-02" else 48, 10, 3_000)) for m in MONTHS}
    trained = NOTHING | {"2024-06": {"2024-03": ("2022-12", "2023-01")}}
    results = moved(rows_of(FEATURES, "age", ages), trained=trained)
    (row,) = [r for r in results if r["reference"] == "trained"]
    assert (row["claim_month"], row["trained_month"], row["reference_members"]) == ("2024-06", "2024-03", 6_000)
    assert row["drift_score"] > 0.9
    assert row["reference_mean"] == pytest.approx(40, abs=1)
    in_june = told(results)["2024-06"]
    assert ("er_utilization_predictor", "drift_from_training", "age") in in_june
    assert ("features", "drift_score", "age") not in in_june, "it is as it was a year ago"


def test_a_new_version_is_compared_with_its_own_months_only():
    scores = {m: profile(np.full(2_000, 20.0 if m < STARTS else 60.0)) for m in MONTHS}
    old = rows_of("health_risk_score", "health_risk_score", {m: p for m, p in scores.items() if m < STARTS}, 1)
    new = rows_of("health_risk_score", "health_risk_score", {m: p for m, p in scores.items() if m >= STARTS}, 2)
    by_month = {r["claim_month"]: r for r in moved([*old, *new])}
    assert (by_month[STARTS]["verdict"], by_month[STARTS]["reference_months"]) == ("no_reference", 0)
    assert "same version" in by_month[STARTS]["absent"]
    after = by_month[add_months(STARTS, 1)]
    assert (after["verdict"], after["reference_months"], after["reference_mean"]) == ("stable", 1, 60.0)


def test_shares_that_tell_of_one_to_ten_members_are_left_out():
    ages = {m: profile(np.r_[np.arange(20.0, 60.0).repeat(50), [np.nan] * (3 if m == STARTS else 0)]) for m in MONTHS}
    (row,) = [r for r in moved(rows_of(FEATURES, "age", ages), [STARTS]) if r["reference"] == "season"]
    assert row["missing_share"] is None
    assert row["reference_missing_share"] == 0.0


def test_the_tables_are_those_functions_and_a_month_does_not_depend_on_the_others(rows, tmp_path, tmp_path_factory):
    given = [r for r in population(7, "mean shift") if r["column_name"] in ("age", "race")]
    profiles = rows(MonthlyProfiles, *given)
    tracking = empty_registry(tmp_path / "mlflow", tmp_path_factory)

    def built(months):
        references = reference_profiles(profiles, tracking, months)
        asked = profiles.where(profiles.claim_month.isin(months))
        results = psi_results(asked, references)
        found = drift(results, rows(ModelPerformance))
        names = ("claim_month", "subject", "column_name", "reference", "psi", "drift_score", "verdict", "mean")
        return (
            sorted(tuple(r[n] for n in names) for r in results.collect()),
            sorted((r.asDict() for r in found.collect()), key=str),
        )

    results, found = built([STARTS, "2024-04"])
    alone = built([STARTS])
    assert alone[0] == [r for r in results if r[0] == STARTS]
    assert alone[1] == [r for r in found if r["claim_month"] == STARTS]
    pure = moved(given, [STARTS])
    assert [r[4] for r in alone[0]] == [
        r["psi"] for r in sorted(pure, key=lambda r: (r["subject"], r["column_name"], r["reference"]))
    ]
    expected = [{"claim_month": STARTS, **asdict(f)} for f in conditions(STARTS, pure, [])]
    assert alone[1] == sorted(expected, key=str)


def test_no_model_no_reference_of_training(tmp_path, tmp_path_factory):
    assert trained_on(empty_registry(tmp_path / "mlflow", tmp_path_factory), [STARTS]) == {STARTS: {}}


def test_the_heat_map_shows_what_moved_most_first():
    results = moved(population(7, "mean shift"))
    assert next(iter(strongest(results))) == "features age"
    assert heat_map(STARTS, results).startswith("![population stability index by column and month](data:image/png")
    assert "nothing to compare with" in heat_map(STARTS, [])


def test_the_picture_is_given_the_last_twelve_months(lake):
    kinds = pa.schema([kind.with_nullable(True) for kind in compiled(PsiResults).arrow_schema()])
    content = pa.Table.from_pylist([{"claim_month": m, "subject": FEATURES} for m in MONTHS], kinds)
    write_deltalake(str(lake.path("monitoring", "psi_results")), content, partition_by=["claim_month"])
    shown = replace(psi_results, picture=lambda month, rows: f"{month}: {sorted(r['claim_month'] for r in rows)}")
    assert table._drawn(shown, lake, "2024-05")["picture"].value == f"2024-05: {MONTHS[-13:-1]}"


def test_references_hold_no_bin_twice():
    of_age = as_read(population(7)).query("column_name == 'age'")
    found = of_column(of_age, [STARTS], NOTHING)
    assert list(found.columns) == list(ReferenceProfiles.to_schema().columns)
    for row in found.to_dict("records"):
        assert row["ranks"] == sorted(set(row["ranks"]))
        assert len(row["counts"]) == len(row["ranks"]) + 1 + len(row["words"]) + 3


def test_all_kinds_are_planted():
    assert set(KINDS) == {"mean shift", "missing values", "out of range", "category shift", "prediction"}


@pytest.mark.requirement("R13")
def test_a_version_says_what_it_was_trained_on_or_drift_is_not_measured(tmp_path, tmp_path_factory):
    tracking = empty_registry(tmp_path / "mlflow", tmp_path_factory)

    def register(month, **params):
        with tracking.run(f"{ER} {month}", {"dagster_run_id": "d"}) as run:
            run.log(params, {"test_auc": 0.7}, {})
            tags = {"as_of_month": month, "training_data": "x", "parameters": "p", "gate": "below_floor"}
            tracking.register(run, ER, artifact(), tags)

    register("2024-03", train_indexes="2022-10, 2022-12")
    assert trained_on(tracking, ["2024-02", "2024-03"]) == {
        "2024-02": {},
        "2024-03": {"2024-03": ("2022-10", "2022-12")},
    }
    register("2024-06", seed="1")
    with pytest.raises(EmptyReference, match=f"{ER} version 2 does not say by `train_indexes` what it was trained on"):
        trained_on(tracking, ["2024-06"])
