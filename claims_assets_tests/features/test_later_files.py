"""R1 from the landing folder on: files that arrive after a month change no feature and no training row of it.

`test_leakage.py` and `test_risk_training_rows.py` change claim versions; here whole files come in later, and chains,
repeated lines and enrolment are worked out anew from all of them.
"""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import functions as F

from claims_assets.bronze.claim_links import claim_links
from claims_assets.bronze.medical_claims import MedicalClaims, medical_claims
from claims_assets.bronze.pharmacy_claims import PharmacyClaims, pharmacy_claims
from claims_assets.contracts import REJECTED, compiled
from claims_assets.features.member_features import MemberFeatures
from claims_assets.features.risk_training_rows import JUDGED_MONTHS, RiskTrainingRows, risk_training_rows
from claims_assets.partitions import add_months, months_between
from claims_assets.silver.claim_versions import ClaimVersions, claim_versions
from claims_assets.silver.enrolment_as_known import enrolment_as_known
from claims_assets.silver.member_months_as_known import member_months_as_known
from claims_assets_tests.bronze.test_claim_links import landed
from claims_assets_tests.features.known_lake import mature, random_records
from claims_assets_tests.features.made import made_features
from claims_assets_tests.silver.eligibility_records import frame_of, known_month

JUDGED = "2024-06"
INDEX = add_months(JUDGED, -JUDGED_MONTHS)
MEMBERS, CLAIMS = 40, 14
SERVED = months_between("2022-03", "2024-09")
ARRIVED_LATE = (0, 0, 1, 1, 2, 4, 9, 14)
"""Months from the service, or from the last adjustment, to the file that tells of it."""


def landed_lines(seed: int) -> list[dict[str, str]]:
    """Claims with their voids, replacements and negative lines, each received in some month."""
    draw = random.Random(seed)
    return [
        said
        for member in range(MEMBERS)
        for n in range(draw.randrange(2 * CLAIMS))
        for said in _history(draw, f"M{member:03d}", f"C{member}-{n}")
    ]


def _history(draw: random.Random, member: str, claim: str) -> list[dict[str, str]]:
    month = draw.choice(SERVED)
    day = f"{month}-{draw.randint(1, 28):02d}"
    received = add_months(month, draw.choice(ARRIVED_LATE))
    line = {
        "claim_id": claim, "claim_line_number": "1", "member_id": member, "claim_date": day, "service_from_date": day,
        "claim_month": month, "claim_type": draw.choice(("OP", "ER", "IP", "PROF")), "adjustment_indicator": "0",
        "diagnosis_code_1": draw.choice(("E119", "I10", "I509", "J449", "F329", "C50911")), "paid_amount": "100",
    }  # fmt: skip
    history = [_said(draw, line, received)]
    while draw.random() < 0.4:
        received = add_months(received, draw.choice(ARRIVED_LATE))
        last = history[-1]
        if last["adjustment_indicator"] == "1":
            break
        how = draw.choice(("1", "4", "-"))
        if how == "-":  # the amount taken back under the claim's own id
            history.append(_said(draw, last | {"paid_amount": f"-{last['paid_amount']}"}, received))
            break
        new = {"claim_id": f"{last['claim_id']}{how}", "original_claim_id": last["claim_id"]}
        new |= {"adjustment_indicator": how, "paid_amount": str(draw.randrange(1, 60_000))}
        history.append(_said(draw, line | new, received))
    return history


def _said(draw: random.Random, line: dict[str, str], received: str) -> dict[str, str]:
    """Paid in the month before its file, or in the same; the later line of a claim is paid later."""
    day = date.fromisoformat(f"{received}-01") + timedelta(days=draw.randrange(20))
    return line | {"received_month": received, "paid_date": str(day), "source_file": f"{received}.csv"}


@pytest.fixture(scope="module")
def made(spark):
    """`made(lines, records)`: training rows of the judged month and features of index and judged month."""

    def typed(frame, model):
        return frame.select(*[F.col(n).try_cast(t).alias(n) for n, t in compiled(model).columns.items()])

    def build(lines: list[dict[str, str]], records: list[dict[str, Any]]) -> tuple[set, set]:
        medical, pharmacy = landed(spark, MedicalClaims, *lines), landed(spark, PharmacyClaims)
        bronze = typed(medical_claims(medical), MedicalClaims), typed(pharmacy_claims(pharmacy), PharmacyClaims)
        versions = claim_versions(*bronze, claim_links(medical, pharmacy)).where(F.size(REJECTED) == 0)
        stored = spark.createDataFrame(typed(versions, ClaimVersions).toArrow())
        eligibility, months = frame_of(spark, records), [INDEX, JUDGED]
        features = made_features(stored, member_months_as_known(eligibility, months), months)
        features = spark.createDataFrame(features.toArrow())
        read = features.where(F.col("claim_month") == INDEX), stored, enrolment_as_known(eligibility, months)
        rows = risk_training_rows(*read, mature(spark, *months), [JUDGED])
        rows = rows.select(*compiled(RiskTrainingRows).columns)
        return {tuple(r) for r in rows.collect()}, {tuple(r) for r in features.collect()}

    return build


@pytest.mark.requirement("R1", "R12")
def test_files_that_arrive_after_a_month_change_neither_its_features_nor_its_training_rows(made):
    lines, records = landed_lines(3), random_records(3, MEMBERS)
    then = made([x for x in lines if x["received_month"] <= JUDGED], [r for r in records if known_month(r) <= JUDGED])
    now = made(lines, records)
    assert now == then
    assert min(len(rows) for rows in then) > MEMBERS / 4
    late = [x for x in lines if x["received_month"] > JUDGED]
    assert len({x["adjustment_indicator"] for x in late if x["claim_month"] <= JUDGED}) == 3
    assert len(late) > len(lines) / 10


@pytest.mark.requirement("R1")
def test_files_that_arrive_after_the_index_change_no_feature_of_it(made):
    lines, records = landed_lines(4), random_records(4, MEMBERS)
    then = made([x for x in lines if x["received_month"] <= INDEX], [r for r in records if known_month(r) <= INDEX])
    now = made(lines, records)
    at = list(compiled(MemberFeatures).columns).index("claim_month")

    def of_index(rows):
        return {r for r in rows if r[at] == INDEX}

    assert of_index(now[1]) == of_index(then[1])
    assert len(of_index(now[1])) > MEMBERS / 4
    assert now[0] != then[0], "what happened in the year after the index is known by later files only"
