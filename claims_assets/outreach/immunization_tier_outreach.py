"""The call centre's lists: one extract for each tier, named members, the columns that a contact needs and no others.

`immunization_tier1_outreach` to `immunization_tier4_outreach`. A list holds the contacts of its tier: members of one
household whom one contact serves stay together, in the list of the most urgent of them. Left out as a caller needs none
of it: scores, cost, conditions, the reason that names them, race, ethnicity, sex, address (minimum necessary, 45 CFR
164.502(b)). What to say is in `offer`.
"""

from claims_assets.outreach.extracts import Content, Source, extract_asset
from claims_assets.outreach.published_counts import TIER_NAMES

NAMES = (
    "immunization_tier1_outreach",
    "immunization_tier2_outreach",
    "immunization_tier3_outreach",
    "immunization_tier4_outreach",
)
OFFER = """
    concat_ws(
        ' ',
        case when len(vaccines_overdue) > 0 then 'Overdue: ' || array_to_string(vaccines_overdue, ', ') || '.' end,
        case when len(vaccines_due) > len(vaccines_overdue) then
            'Due: ' || array_to_string(
                list_filter(vaccines_due, lambda v: not list_contains(vaccines_overdue, v)), ', '
            ) || '.' end,
        case when len(vaccines_no_evidence) > 0 then
            'Ask whether given elsewhere: ' || array_to_string(vaccines_no_evidence, ', ') || '.' end
    )
"""
"""What the caller says; the schedule's rules are left out, as their names tell of conditions."""
COLUMNS = (
    "outreach_rank",
    "contact_week",
    "contact_channel",
    "also_by_mail",
    "contact_member_id",
    "member_id",
    "household_id",
    "age",
    "preferred_language",
    "vaccines_overdue",
    "vaccines_due",
    "vaccines_no_evidence",
    "offer",
    "outreach_tier",
    "last_contacted_at",
)


def tier_list(tier: str, source: Source) -> Content:
    """Contacts of one tier of the month, in the order of the list."""
    columns = ", ".join(f"{OFFER} as offer" if name == "offer" else name for name in COLUMNS)
    query = (
        f"select {columns} from members where disposition = 'listed' and contact_tier = '{tier}'"
        " order by outreach_rank, member_id"
    )
    return Content(*source.rows.batches(query))


def _declared(name: str, tier: str):
    return extract_asset(
        name,
        f"Call list of {tier}: named members, with what a contact needs and no more. Every copy is recorded.",
        __file__,
        lambda source: tier_list(tier, source),
        phi="restricted",
    )


lists = [_declared(name, tier) for name, tier in zip(NAMES, TIER_NAMES, strict=True)]
