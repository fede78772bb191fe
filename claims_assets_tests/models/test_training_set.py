"""Training rows: which part a row falls in, what makes the fingerprint, and when the rows are read again."""

import numpy as np
import pandas as pd
import pytest

from claims_assets.models import training_set as module
from claims_assets.models.inputs import INPUTS
from claims_assets.models.training_set import KEYS, OUTCOMES, TrainingSet, held_by, training_set
from claims_assets.models.windows import NotTrainable
from claims_assets_tests.models.conftest import SEED
from claims_assets_tests.models.population import (
    FIRST,
    MEMBERS,
    TEST_INDEX,
    TRAIN_INDEX,
    TRAINABLE,
    population,
    write,
    write_population,
)


def read(lake, seed=SEED, as_of=TRAINABLE, **given) -> TrainingSet:
    return training_set(lake, held_by(lake), as_of, seed=seed, **given)


def trained_on(found: TrainingSet) -> pd.DataFrame:
    return pd.concat(list(found.train()))


def test_train_and_test_are_apart_in_time(planted):
    found = read(planted)
    assert set(trained_on(found)["index_month"]) == set(found.calibration["index_month"]) == {TRAIN_INDEX}
    assert set(found.test["index_month"]) == {TEST_INDEX}
    assert found.train_rows + len(found.calibration) == len(found.test) == MEMBERS
    assert (found.split.train, found.split.test) == ((FIRST,), TRAINABLE)


@pytest.mark.requirement("R23")
def test_no_member_is_on_both_sides(tmp_path):
    """R23: what chooses and calibrates a model is apart by member from what grows it, over all index months."""
    judged = ("2024-03", "2024-06", "2024-09", "2025-12")
    found = read(write_population(tmp_path, judged), as_of="2025-12")
    grown, aside = trained_on(found), found.calibration
    assert set(grown["claim_month"]) == set(aside["claim_month"]) == set(judged[:-1])
    assert not set(grown["member_id"]) & set(aside["member_id"])
    assert len(grown) + len(aside) == 3 * MEMBERS
    assert 0.1 < len(aside) / (3 * MEMBERS) < 0.3
    other = read(write_population(tmp_path / "again", judged), seed=7, as_of="2025-12")
    assert set(other.calibration["member_id"]) != set(aside["member_id"])


def test_test_members_that_no_other_part_holds_are_marked(own_planted):
    newcomers = population(TRAINABLE, MEMBERS + 10).iloc[-10:]
    write(own_planted, newcomers)
    found = read(own_planted)
    assert set(found.test.loc[found.test_unseen, "member_id"]) == set(newcomers["member_id"])


def test_rows_are_in_one_order_numbers_are_numbers_and_missing_is_missing(planted):
    found = read(planted)
    assert list(found.test["member_id"]) == sorted(found.test["member_id"])
    assert list(found.test.columns[:3]) == list(KEYS)
    assert found.test["dual_eligible"].isna().all()
    assert set(found.test["has_heart_failure"]) == {0.0, 1.0}
    numbers = [n for n in INPUTS if n not in ("gender", "bmi_category")]
    assert set(found.test[[*numbers, *(f"outcome_{n}" for n in OUTCOMES)]].dtypes) == {np.dtype("float64")}
    assert found.test["total_paid_12mo"].tolist() == [float(x) for x in population(TRAINABLE)["total_paid_12mo"]]


def test_neither_the_order_nor_the_files_of_the_rows_matter(planted, tmp_path):
    shuffled = write_population(tmp_path, judged=())
    for month in (TRAINABLE, FIRST):
        rows = population(month).sample(frac=1, random_state=1)
        write(shuffled, rows.iloc[:150])
        write(shuffled, rows.iloc[150:])
    one, two = read(planted), read(shuffled)
    assert one.fingerprint == two.fingerprint
    pd.testing.assert_frame_equal(trained_on(one), trained_on(two))
    pd.testing.assert_frame_equal(one.calibration, two.calibration)
    pd.testing.assert_frame_equal(one.test, two.test)


@pytest.mark.requirement("R23")
def test_rows_read_again_on_each_pass_are_the_rows_kept_in_memory(planted, own_planted, monkeypatch):
    kept = read(planted)
    monkeypatch.setattr(module, "MOST_HELD_ROWS", 10)
    lean = read(own_planted)
    for _ in range(2):
        pd.testing.assert_frame_equal(trained_on(lean), trained_on(kept))
    assert (lean.fingerprint, lean.train_rows) == (kept.fingerprint, kept.train_rows)


@pytest.mark.parametrize(
    ("month", "changes"), [(FIRST, True), (TRAINABLE, True), ("2024-04", False)], ids=["train", "test", "not read"]
)
def test_the_fingerprint_is_of_the_rows_that_are_read(own_planted, month, changes):
    before = read(own_planted)
    write(own_planted, population(month, MEMBERS + 1).iloc[-1:])
    assert (before.fingerprint != read(own_planted).fingerprint) == changes


def test_a_share_takes_the_same_members_every_time(planted):
    half = read(planted, most_rows=MEMBERS)
    members = set(trained_on(half)["member_id"]) | set(half.calibration["member_id"])
    assert 0.3 * MEMBERS < len(members) < 0.7 * MEMBERS
    assert members == set(half.test["member_id"])
    assert half.fingerprint == read(planted, most_rows=MEMBERS).fingerprint != read(planted).fingerprint


def test_a_table_that_changed_is_read_again_and_else_it_is_not(own_planted):
    first = read(own_planted)
    assert read(own_planted) is first
    write(own_planted, population("2024-04"))
    assert read(own_planted) is not first


@pytest.mark.parametrize("month", [FIRST, TRAINABLE])
def test_an_outcome_year_that_is_not_mature_is_not_used(tmp_path, month):
    lake = write_population(tmp_path, judged=())
    for judged in (FIRST, TRAINABLE):
        write(lake, population(judged).assign(outcome_is_mature=judged != month))
    with pytest.raises(NotTrainable, match=f"outcome year judged in {month}, which training as of 2025-06 reads, is"):
        read(lake)


def test_a_training_month_that_is_not_mature_is_left_out(tmp_path):
    lake = write_population(tmp_path, judged=("2024-06", "2025-09"))
    write(lake, population("2024-03").assign(outcome_is_mature=False))
    found = read(lake, as_of="2025-09")
    assert found.split.train == ("2024-06",)
    assert set(trained_on(found)["claim_month"]) == {"2024-06"}


def test_an_empty_lake_says_what_to_do(lake):
    with pytest.raises(NotTrainable, match=r"gold\.risk_training_rows holds no rows: materialize it first"):
        read(lake)
