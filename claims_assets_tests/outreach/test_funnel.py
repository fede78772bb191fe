"""From members to contacts: counts that add up, and a picture without small counts."""

import base64

from claims_assets.outreach.funnel import COLUMNS, GROUPED_BY, bars, funnel, picture, unshown

TIER = "Tier 4 - Routine"


def row(n, reason=None, channel="mail", letter=None, **given):
    place = {"outreach_tier": TIER, "contact_channel": channel, "contact_week": 1, "letter_week": letter}
    if reason:
        place |= dict.fromkeys(("contact_channel", "contact_week", "letter_week"))
    who = {"contact_member_id": f"m{n}", "household_id": None, **dict.fromkeys(GROUPED_BY, "one")}
    return {"disposition": "excluded" if reason else "listed", "exclusion_reason": reason} | place | who | given


MONTH = [
    *[row(n) for n in range(30)],
    *[row(n, contact_member_id="m0") for n in range(30, 32)],
    *[row(n, channel="phone", letter=2, race=None) for n in range(32, 50)],
    *[row(n, "complete", race="two") for n in range(50, 70)],
    row(70, "deceased"),
]


def test_listed_and_reasons_are_all_members():
    told = funnel(MONTH)
    assert (told.members, told.listed, dict(told.reasons)) == (71, 50, {"complete": 20, "deceased": 1})
    assert told.reconciles
    assert not funnel([*MONTH, row(71, "no known reason")]).reconciles


def test_a_contact_that_serves_three_counts_once_and_a_letter_is_mail():
    contacts = {key: len(who) for key, who in funnel(MONTH).contacts.items()}
    assert contacts == {("mail", 1): 30, ("phone", 1): 18, ("mail", 2): 18}


def test_groups_have_their_rates_and_a_missing_one_is_a_group():
    told = funnel(MONTH)
    assert {r.group: (r.hits, r.members) for r in told.rates("race")} == {
        "one": (32, 33), "two": (0, 20), "not told": (18, 18),
    }  # fmt: skip
    assert "one" in told.hidden("race")


def test_the_picture_is_small_and_shows_no_small_count():
    told = picture("2024-10", MONTH)
    png = base64.b64decode(told.split("base64,")[1].rstrip(")"))
    assert png.startswith(b"\x89PNG")
    assert len(png) < 100_000
    assert ("deceased", 1) in bars(funnel(MONTH))
    assert picture("2024-10", []).startswith("No picture")
    assert set(MONTH[0]) == set(COLUMNS)


def test_a_small_count_is_not_told_by_the_others_and_the_total():
    assert unshown({"a": 100, "b": 50}) == set()
    assert unshown({"a": 100, "b": 50, "c": 3}) == {"b", "c"}
    assert unshown({"a": 100, "b": 6, "c": 7}) == {"b", "c"}
    assert unshown({"a": 3, "b": 0}) == {"a"}
