"""Each claim line is of exactly one kind of service."""

import pytest

from claims_assets.silver.claim_versions import ClaimVersions
from claims_assets.silver.service_categories import SERVICE_CATEGORIES, service_category

LINES = [
    ("inpatient", {"claim_type": "IP", "revenue_code": "0450", "procedure_code_1": "99284"}),
    ("inpatient", {"claim_type": "IP", "revenue_code": "0300", "procedure_code_1": "85025"}),
    ("inpatient", {"claim_type": "??", "bill_type_code": "0111"}),
    ("inpatient", {"claim_type": None, "bill_type_code": "117"}),
    ("emergency", {"claim_type": "ER", "procedure_code_1": "71045"}),
    ("emergency", {"claim_type": "OP", "revenue_code": "0456"}),
    ("emergency", {"claim_type": "PROF", "place_of_service": "23", "procedure_code_1": "93010"}),
    ("long_term_care", {"claim_type": "LTC", "revenue_code": "0100"}),
    ("long_term_care", {"claim_type": None, "bill_type_code": "0213"}),
    ("office_visit", {"claim_type": "PROF", "procedure_code_1": "99213", "place_of_service": "11"}),
    ("office_visit", {"claim_type": "PROF", "procedure_code_1": "99396"}),
    ("office_visit", {"claim_type": "PROF", "procedure_code_1": "T1015", "place_of_service": "50"}),
    ("other_professional", {"claim_type": "PROF", "procedure_code_1": "99308", "place_of_service": "32"}),
    ("other_professional", {"claim_type": "PROF", "procedure_code_1": "J1885"}),
    ("other_professional", {"claim_type": "PROF"}),
    ("home_and_community_care", {"claim_type": "PROF", "procedure_code_1": "T1019", "place_of_service": "12"}),
    ("home_and_community_care", {"claim_type": "PROF", "procedure_code_1": "S5125"}),
    ("home_and_community_care", {"claim_type": "OP", "bill_type_code": "0329"}),
    ("transportation", {"claim_type": "PROF", "procedure_code_1": "A0429", "place_of_service": "41"}),
    ("transportation", {"claim_type": "PROF", "procedure_code_1": "T2003"}),
    ("transportation", {"claim_type": "OP", "revenue_code": "0540"}),
    ("equipment_and_supplies", {"claim_type": "PROF", "procedure_code_1": "E0601"}),
    ("equipment_and_supplies", {"claim_type": "PROF", "procedure_code_1": "A4253"}),
    ("equipment_and_supplies", {"claim_type": "PROF", "procedure_code_1": "V2020"}),
    ("laboratory_imaging", {"claim_type": "PROF", "procedure_code_1": "80053", "place_of_service": "81"}),
    ("laboratory_imaging", {"claim_type": "OP", "procedure_code_1": "71046"}),
    ("laboratory_imaging", {"claim_type": "OP", "revenue_code": "0301"}),
    ("laboratory_imaging", {"claim_type": "PROF", "procedure_code_1": "0001U"}),
    ("laboratory_imaging", {"claim_type": "OP", "procedure_code_1": "A9552"}),
    ("behavioral_health", {"claim_type": "PROF", "procedure_code_1": "90837"}),
    ("behavioral_health", {"claim_type": "PROF", "procedure_code_1": "H0004"}),
    ("other_professional", {"claim_type": "PROF", "procedure_code_1": "H1001"}),
    ("behavioral_health", {"claim_type": "PROF", "procedure_code_1": "99213", "place_of_service": "53"}),
    ("outpatient_facility", {"claim_type": "OP", "procedure_code_1": "99213", "revenue_code": "0510"}),
    ("outpatient_facility", {"claim_type": None, "bill_type_code": "0131"}),
    ("dental", {"claim_type": "DENTAL", "procedure_code_1": "D0120"}),
    ("dental", {"claim_type": "PROF", "procedure_code_1": "D0120"}),
    ("pharmacy", {"claim_type": "RX", "claim_feed": "pharmacy", "ndc_code": "00093105801"}),
    ("pharmacy", {"claim_type": "RX"}),
    ("other", {"claim_type": "??", "procedure_code_1": "10060", "place_of_service": "11"}),
    ("other", {"claim_type": None}),
]


def test_lines_of_every_kind(rows):
    given = [{"claim_feed": "medical", "claim_line_number": n, **line} for n, (_, line) in enumerate(LINES)]
    found = rows(ClaimVersions, *given).select("claim_line_number", service_category().alias("category")).collect()
    wrong = {str(LINES[r[0]][1]): (r.category, LINES[r[0]][0]) for r in found if r.category != LINES[r[0]][0]}
    assert wrong == {} and len(found) == len(LINES)
    assert {category for category, _ in LINES} == set(SERVICE_CATEGORIES)


@pytest.mark.parametrize("bill", ["0111", "0131", "0211", "0321"])
def test_a_known_claim_type_is_believed_before_the_type_of_bill(rows, bill):
    line = {"claim_feed": "medical", "claim_type": "PROF", "bill_type_code": bill, "procedure_code_1": "10060"}
    category = rows(ClaimVersions, line).select(service_category()).first()[0]
    # Home health agencies bill with the claim type of other facilities, so their bill says more than the type.
    assert category == ("home_and_community_care" if bill == "0321" else "other_professional")
