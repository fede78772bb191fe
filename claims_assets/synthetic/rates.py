"""Every rate of dirt, in one place: how often, out of what, and what it looks like in the files.

The table in docs/synthetic_data.md is `rates_table()`; a test holds the two together. Shares are scaled by the argument
`dirt` of `generate` (0.0 writes clean files). What makes people ill or cost money is in `population.py`,
`conditions.py`, `medical.py`, `pharmacy.py` and `vaccines.py`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """One kind of dirt."""

    share: float
    of: str
    """What the share is counted in."""
    meaning: str


RATES: dict[str, Rate] = {
    "denied": Rate(0.07, "original medical claims", "claim_status DENIED, nothing allowed or paid, a billed amount"),
    "pending": Rate(0.01, "original medical claims", "claim_status PENDING, amounts not yet set"),
    "capitated": Rate(0.04, "original medical claims", "PAID with 0.00: an encounter under a capitation contract"),
    "rx_denied": Rate(0.03, "original pharmacy claims", "claim_status DENIED, nothing paid"),
    "void": Rate(
        0.015,
        "original medical claims",
        "indicator 1, new claim id, names the original, negative amounts, REVERSED",
    ),
    "same_id_void": Rate(0.002, "original medical claims", "indicator 1 under the claim id it cancels"),
    "moved_void": Rate(0.15, "voids with a new id", "service dates in another month than the claim it cancels"),
    "replacement": Rate(
        0.025, "original medical claims", "indicator 4, new claim id, names the original, changed amounts"
    ),
    "second_replacement": Rate(
        0.10, "replacements", "a replacement of the replacement; half of them name the first original"
    ),
    "void_of_replacement": Rate(0.04, "replacements", "indicator 1 that names a replacement"),
    "rx_void": Rate(
        0.012, "original pharmacy claims", "indicator 1, new claim id, names the original, negative amounts"
    ),
    "duplicate": Rate(0.004, "medical claims", "all lines of a claim sent again, unchanged, in a later file"),
    "late_file": Rate(1 / 24, "months", "the month's medical claims arrive 2 to 5 months late, in a file of their own"),
    "outside_enrolment": Rate(
        0.006, "original medical claims", "service 1 to 75 days after the member's coverage ended"
    ),
    "unknown_member": Rate(0.001, "medical lines", "a member id that no eligibility file holds"),
    "missing_member": Rate(0.0005, "medical lines", "no member id"),
    "unreadable_date": Rate(0.0005, "medical lines", "service_from_date '2023-02-31', '' or '00000000'"),
    "future_date": Rate(0.0004, "medical lines", "service dates 30 years ahead"),
    "unreadable_amount": Rate(0.0005, "medical lines", "paid_amount 'abc', 'N/A' or '12.3.4'"),
    "unknown_claim_type": Rate(0.001, "medical lines", "claim_type '??'"),
    "odd_diagnosis": Rate(0.001, "medical lines", "diagnosis_code_1 'ZZZ.99', '99999' or '?'"),
    "undotted_diagnosis": Rate(0.60, "providers", "the provider sends ICD codes without the dot"),
    "lower_case_diagnosis": Rate(0.02, "medical claims", "ICD codes in lower case"),
    "padded_diagnosis": Rate(0.03, "medical claims", "ICD codes with trailing spaces"),
    "dashed_ndc": Rate(0.05, "pharmacy lines", "NDC as 5-4-2 with dashes"),
    "rx_unknown_member": Rate(0.001, "pharmacy lines", "a member id that no eligibility file holds"),
    "rx_unreadable_date": Rate(0.0005, "pharmacy lines", "fill_date '2023-02-31', '' or '00000000'"),
    "rx_unreadable_amount": Rate(0.0005, "pharmacy lines", "paid_amount 'abc', 'N/A' or '12.3.4'"),
    "rx_short_line": Rate(0.0003, "pharmacy lines", "an extra CSV line with too few fields"),
    "rx_long_line": Rate(0.0003, "pharmacy lines", "an extra CSV line with too many fields"),
    "rx_extra_column": Rate(1 / 12, "months", "the month's pharmacy file has an unknown column plan_code"),
    "eligibility_short_line": Rate(0.0005, "eligibility records", "an extra CSV line with too few fields"),
    "eligibility_unreadable_birth": Rate(0.001, "eligibility records", "birth_date '00000000'"),
    "eligibility_open_as_9999": Rate(0.10, "open eligibility records", "term_date '9999-12-31' instead of empty"),
    "retro_term": Rate(0.08, "ends of coverage", "the end becomes known 2 to 5 months after it, not at once"),
    "registry_not_done": Rate(0.01, "registry records", "status not-done with a reason: no dose was given"),
    "third_party_npi": Rate(0.98, "providers, profile third_party", "an NPI that fails the check digit"),
    "third_party_negative": Rate(0.01, "claims, profile third_party", "a negative payment that takes nothing back"),
    "third_party_reversal": Rate(
        0.01, "claims, profile third_party", "sent again under its own number with the payment negated: nothing is left"
    ),
    "third_party_reissue": Rate(
        0.015, "claims, profile third_party", "the same, and a third time with the corrected payment"
    ),
    "third_party_unknown_bene": Rate(0.002, "claims, profile third_party", "a beneficiary that no summary holds"),
    "third_party_no_thru": Rate(0.005, "claims, profile third_party", "no last day of service"),
    "bad_npi": Rate(0.04, "providers", "an NPI that fails the 80840 check digit"),
}
"""Kind of dirt -> its rate. Every kind is counted in `Summary.dirt`."""

DATE_JUNK = ("2023-02-31", "", "00000000")
AMOUNT_JUNK = ("abc", "N/A", "12.3.4")
DIAGNOSIS_JUNK = ("ZZZ.99", "99999", "?")


def share(kind: str, dirt: float) -> float:
    """The share of one kind under the scale `dirt`, never above 1."""
    return min(1.0, RATES[kind].share * dirt)


def rates_table() -> str:
    """All rates as a Markdown table."""
    lines = ["| kind | share | of | looks like |", "|---|---|---|---|"]
    lines += [f"| `{kind}` | {100 * r.share:.3g} % | {r.of} | {r.meaning} |" for kind, r in RATES.items()]
    return "\n".join(lines) + "\n"
