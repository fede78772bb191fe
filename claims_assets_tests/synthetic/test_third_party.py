"""The foreign extract: yearly wide files, old codes, wrong NPIs, and mappings that fit the files."""

import re
from collections import Counter, defaultdict
from decimal import Decimal

import yaml

from claims_assets.synthetic.codes import DIAGNOSES
from claims_assets.synthetic.icd9 import ICD9_DIAGNOSES
from claims_assets_tests.synthetic.test_providers import passes_check_digit

KEYS = {"use", "files", "rename", "constants", "date_format", "value_map", "received_on"}
REQUIRED = {
    "medical_claims": {"claim_id", "member_id", "claim_date", "service_from_date", "service_to_date"},
    "pharmacy_claims": {"claim_id", "member_id", "fill_date", "ndc_code"},
    "member_eligibility": {"member_id", "effective_date"},
}


def test_there_is_one_file_a_year_and_feed_and_nothing_else(extract):
    years = Counter(re.search(r"\d{4}", name)[0] for name in extract.summary.files if name.endswith(".csv"))
    assert years == {"2015": 3, "2016": 3}
    assert {p.name for p in extract.path.iterdir() if p.is_dir()} == set(REQUIRED)
    assert not (extract.path.parent / "providers.csv").exists()


def test_mappings_rename_columns_that_the_files_have(extract):
    for feed, required in REQUIRED.items():
        mapping = yaml.safe_load((extract.path / f"{feed}.yaml").read_text())
        assert set(mapping) <= KEYS
        headers = {tuple(header) for _, header, _ in extract.csv(feed)}
        assert len(headers) == 1
        assert set(mapping["rename"]) <= set(*headers)
        assert required <= set(mapping["rename"].values())
        assert len(set(mapping["rename"].values())) == len(mapping["rename"])


def test_value_maps_cover_all_values(extract):
    for feed in REQUIRED:
        mapping = yaml.safe_load((extract.path / f"{feed}.yaml").read_text())
        theirs = {ours: column for column, ours in mapping["rename"].items()}
        for ours, values in mapping.get("value_map", {}).items():
            assert {r[theirs[ours]] for r in extract.rows(feed)} <= set(values)


def test_rows_and_dirt_reconcile(extract):
    claims, summary = extract.rows("medical_claims"), extract.summary
    known = {r["BENE_ID"] for r in extract.rows("member_eligibility")}
    assert {feed: len(extract.rows(feed)) for feed in REQUIRED} == summary.rows
    negative = [k for k in summary.dirt if k in ("third_party_negative", "third_party_reversal", "third_party_reissue")]
    assert len(negative) == 3
    assert sum(r["CLM_PMT_AMT"].startswith("-") for r in claims) == sum(summary.dirt[k] for k in negative)
    assert sum(r["BENE_ID"] not in known for r in claims) == summary.dirt["third_party_unknown_bene"] > 0
    assert sum(r["CLM_THRU_DT"] == "" for r in claims) == summary.dirt["third_party_no_thru"] > 0


def test_adjustments_come_under_the_number_of_their_claim_with_the_payment_negated(extract):
    sent = defaultdict(list)
    for r in extract.rows("medical_claims"):
        sent[r["CLM_ID"]].append((r["NCH_WKLY_PROC_DT"], Decimal(r["CLM_PMT_AMT"])))
    amounts = [[amount for _, amount in sorted(lines)] for lines in sent.values() if len(lines) > 1]
    counts = Counter(len(a) for a in amounts)
    assert counts == {2: extract.summary.dirt["third_party_reversal"], 3: extract.summary.dirt["third_party_reissue"]}
    assert all(min(a) < 0 and -min(a) in a for a in amounts)
    assert {sum(a) for a in amounts if len(a) == 2} == {0}


def test_nearly_all_npis_are_wrong(extract):
    npis = {r["AT_PHYSN_NPI"] for r in extract.rows("medical_claims")}
    assert sum(passes_check_digit(n) for n in npis) / len(npis) < 0.06


def test_codes_change_in_october_2015(extract):
    new = {d.replace(".", "") for d in DIAGNOSES}
    for r in extract.rows("medical_claims"):
        known = ICD9_DIAGNOSES if r["CLM_FROM_DT"] < "20151001" else new
        assert all(r[f"ICD9_DGNS_CD_{k}"] in known for k in range(1, 9))


def test_dates_are_eight_digits(extract):
    for r in extract.rows("medical_claims"):
        assert re.fullmatch(r"\d{8}", r["CLM_FROM_DT"]) and re.fullmatch(r"\d{8}|", r["CLM_THRU_DT"])


def test_every_diagnosis_has_an_icd9_code_of_legal_shape():
    assert len(ICD9_DIAGNOSES) == len(DIAGNOSES)
    assert all(re.fullmatch(r"(\d{3,5}|V\d{2,4})?", code) for code in ICD9_DIAGNOSES)
