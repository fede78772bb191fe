"""Labels of investigators: of planted claims and honest ones, months after receipt, and not always right."""

import csv

import numpy as np
import pytest

from claims_assets.sources.feeds import FEEDS
from claims_assets.synthetic import labels
from claims_assets.synthetic.arrays import stream
from claims_assets.synthetic.labels import labels_of, write_labels
from claims_assets.synthetic.text import claim_ids


@pytest.fixture(scope="module")
def planted(life):
    return life.claims["id"][::70]


@pytest.fixture(scope="module")
def decided(life, planted):
    return labels_of(life.claims, planted, life.people.block, stream(7, 0, "labels"))


def test_most_of_the_planted_are_confirmed_and_most_of_the_honest_cleared(decided, planted):
    guilty = np.isin(decided["claim"], planted)
    assert decided["confirmed"][guilty].mean() == pytest.approx(labels.CONFIRMED_PLANTED, abs=0.03)
    assert decided["confirmed"][~guilty].mean() == pytest.approx(labels.CONFIRMED_HONEST, abs=0.03)
    assert (~guilty).sum() / guilty.sum() == pytest.approx(labels.HONEST_A_PLANTED, abs=0.05)
    assert guilty.sum() < len(planted), "not all frauds are looked into"


def test_a_claim_is_decided_once_months_after_it_was_received(decided, life):
    assert len(np.unique(decided["claim"])) == len(decided["claim"])
    received = dict(zip(life.claims["id"].tolist(), life.claims["received"].tolist(), strict=True))
    months = decided["received"] - np.array([received[c] for c in decided["claim"].tolist()])
    assert set(months.tolist()) == set(range(*labels.MONTHS_TO_DECIDE))
    assert decided["received"].max() < life.people.block.months


def test_labels_are_written_by_month_of_receipt_in_the_columns_of_the_feed(tmp_path, decided, life):
    assert write_labels(tmp_path, decided, life.people.block) == len(decided["claim"])
    rows = []
    for path in sorted((tmp_path / "fraud_labels").iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
        assert {row["decided_at"][:7] for row in found} == {path.stem.removeprefix("labels_")}
        rows += found
    assert [r["claim_id"] for r in rows] == claim_ids(decided["claim"]).to_list()
    assert tuple(rows[0]) == FEEDS["fraud_labels"].columns
    assert {r["label"] for r in rows} == {"confirmed", "cleared"}


def test_the_labels_in_the_files_name_planted_claims_of_the_truth(landing):
    with (landing.path.parent / "landing_fraud_truth.csv").open(encoding="utf-8", newline="") as file:
        guilty = {row["claim_id"] for row in csv.DictReader(file)}
    rows = landing.rows("fraud_labels")
    assert len(rows) == landing.summary.rows["fraud_labels"] > 20
    confirmed = [r["claim_id"] in guilty for r in rows if r["label"] == "confirmed"]
    assert sum(confirmed) / len(confirmed) > 0.8
    assert {r["claim_id"] for r in rows} <= {r["claim_id"] for r in landing.medical}


def test_nothing_planted_is_nothing_decided(life, tmp_path):
    none = labels_of(life.claims, np.zeros(0, np.int64), life.people.block, stream(7, 0, "labels"))
    assert write_labels(tmp_path, none, life.people.block) == 0
    assert list(tmp_path.iterdir()) == []
