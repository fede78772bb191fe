"""Which claim cancels which, from the landing stage of both feeds."""

from claims_assets.bronze.chains import UNKNOWN_ORIGINAL
from claims_assets.bronze.claim_links import ClaimLinks, claim_links
from claims_assets.bronze.medical_claims import MedicalClaims
from claims_assets.bronze.pharmacy_claims import PharmacyClaims
from claims_assets.contracts import compiled


def landed(spark, model, *given):
    """A frame as the landing stage gives it: the contract's columns as text; what a dict leaves out is NULL."""
    names = [n for n in compiled(model).columns if n != "known_from"]
    filled = [
        {"member_id": "M1", "claim_month": "2024-01", "source_file": "claims.csv", "source_line": line} | row
        for line, row in enumerate(given, start=2)
    ]
    assert all(row.keys() <= set(names) for row in filled)
    schema = ", ".join(f"{n} {'bigint' if n == 'source_line' else 'string'}" for n in names)
    return spark.createDataFrame([tuple(row.get(n) for n in names) for row in filled], schema)


def links(spark, medical=(), pharmacy=()):
    frame = claim_links(landed(spark, MedicalClaims, *medical), landed(spark, PharmacyClaims, *pharmacy))
    return {(r.claim_feed, r.claim_id, r.adjustment_indicator): r for r in frame.collect()}


def test_only_claims_that_take_part_in_a_chain_appear(spark):
    found = links(
        spark,
        [
            {"claim_id": "A"},
            {"claim_id": "B", "adjustment_indicator": "4", "original_claim_id": "A"},
            {"claim_id": "X"},
            {"claim_id": "Y", "adjustment_indicator": "0", "original_claim_id": "Y"},
            {"claim_id": "Z", "adjustment_indicator": "5", "original_claim_id": " "},
        ],
    )
    assert sorted(found) == [("medical", "A", "0"), ("medical", "B", "4")]


def test_the_lines_of_a_version_become_one_row(spark):
    found = links(
        spark,
        [
            {"claim_id": " A", "claim_line_number": "1", "claim_month": "2024-01", "paid_date": "2024-02-03"},
            {"claim_id": "A ", "claim_line_number": "2", "claim_month": "2024-02", "paid_date": "2024-03-01"},
            {
                "claim_id": "V",
                "adjustment_indicator": " 1 ",
                "original_claim_id": " A ",
                "claim_month": "2023-12",
                "paid_date": "soon",
            },
        ],
    )
    a, v = found["medical", "A", "0"], found["medical", "V", "1"]
    assert (a.first_claim_month, a.last_claim_month, str(a.paid_date), a.known_from) == (
        "2024-01",
        "2024-02",
        "2024-03-01",
        "2024-02",
    )
    assert (v.paid_date, v.known_from, v.original_claim_id, v.root_claim_id) == (None, "2023-12", "A", "A")
    assert (a.cancelled_on, a.cancelled_by) == ("2024-02", "V")


def test_the_received_month_says_when_a_void_is_known(spark):
    found = links(
        spark,
        [
            {"claim_id": "A", "paid_date": "2024-02-03", "received_month": "2024-03"},
            {
                "claim_id": "V",
                "adjustment_indicator": "1",
                "original_claim_id": "A",
                "paid_date": "2024-03-01",
                "received_month": "2024-05",
            },
        ],
    )
    a = found["medical", "A", "0"]
    assert (a.known_from, a.cancelled_on) == ("2024-03", "2024-05")


def test_chains_do_not_cross_feeds(spark):
    found = links(
        spark,
        [{"claim_id": "A"}, {"claim_id": "B", "adjustment_indicator": "4", "original_claim_id": "A"}],
        [{"claim_id": "V", "adjustment_indicator": "1", "original_claim_id": "B", "paid_date": "2024-02-01"}],
    )
    assert {key: r.cancelled_by for key, r in found.items()} == {
        ("medical", "A", "0"): "B",
        ("medical", "B", "4"): None,
        ("pharmacy", "V", "1"): None,
    }
    assert found["pharmacy", "V", "1"].chain_state == UNKNOWN_ORIGINAL


def test_zeros_and_blanks_name_no_claim(spark):
    voids = [
        {"claim_id": i, "adjustment_indicator": "4", "original_claim_id": o, "paid_date": "2024-02-01"}
        for i, o in (("A", "0"), ("B", "000"), ("C", " "), ("D", None))
    ]
    found = links(spark, voids)
    assert {r.root_claim_id for r in found.values()} == {"A", "B", "C", "D"}
    assert {r.cancelled_on for r in found.values()} == {None}


def test_a_negative_line_that_names_its_original_is_a_void(spark):
    named = {"claim_id": "V", "original_claim_id": "A", "paid_date": "2024-02-01"}
    found = links(spark, [{"claim_id": "A", "paid_amount": "100"}, named | {"paid_amount": "-100"}])
    assert found["medical", "A", "0"].cancelled_by == found["medical", "V", "1"].claim_id
    reversed_ = named | {"paid_amount": "100", "claim_status": " reversed"}
    assert sorted(links(spark, (), [{"claim_id": "A"}, reversed_])) == [("pharmacy", "A", "0"), ("pharmacy", "V", "1")]


def test_a_negative_line_that_names_no_other_claim_takes_part_in_no_chain(spark):
    given = [{"claim_id": "A", "paid_amount": "-5"}, {"claim_id": "B", "original_claim_id": "B", "paid_amount": "-5"}]
    assert links(spark, given) == {}


def test_a_version_whose_lines_name_several_claims_cancels_them_all(spark):
    void = {"claim_id": "V", "adjustment_indicator": "1", "paid_date": "2024-02-01"}
    lines = [void | {"claim_line_number": str(i), "original_claim_id": o} for i, o in enumerate("BAB", start=1)]
    found = links(spark, [{"claim_id": "A"}, {"claim_id": "B"}, *lines])
    assert {claim: r.cancelled_by for (_, claim, _), r in found.items()} == {"A": "V", "B": "V", "V": None}
    assert (found["medical", "V", "1"].original_claim_id, found["medical", "A", "0"].original_claim_id) == ("A", None)


def test_a_feed_without_adjustments_gives_an_empty_table(spark, lake):
    frame = claim_links(landed(spark, MedicalClaims, {"claim_id": "A"}), landed(spark, PharmacyClaims))
    assert lake.write(frame, "bronze", "claim_links", ClaimLinks, None).rows_in == 0


def test_the_table_keeps_its_contract(spark, lake):
    medical = [
        {"claim_id": "A", "paid_date": "2024-01-10"},
        {"claim_id": "B", "adjustment_indicator": "4", "original_claim_id": "A", "paid_date": "2024-02-10"},
        {"claim_id": "P", "adjustment_indicator": "4", "original_claim_id": "Q"},
        {"claim_id": "Q", "adjustment_indicator": "4", "original_claim_id": "P"},
    ]
    frame = claim_links(landed(spark, MedicalClaims, *medical), landed(spark, PharmacyClaims))
    found = lake.write(frame, "bronze", "claim_links", ClaimLinks, None)
    assert (found.rows_kept, found.blocked, found.failed_by_rule()) == (4, [], {})
