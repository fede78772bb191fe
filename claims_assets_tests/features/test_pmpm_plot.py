"""The picture of cost per member per month."""

import base64

from claims_assets.features.pmpm_plot import picture, totals


def row(month, category, paid, completed, member_months=10.0):
    return {
        "incurred_month": month,
        "service_category": category,
        "paid": paid,
        "completed_paid": completed,
        "member_months": member_months,
    }


ROWS = [
    row("2024-02", "dental", 50, 100),
    row("2024-01", "dental", 70, 70),
    row("2024-01", "pharmacy", 30, 40),
    row("2024-02", "pharmacy", 10, None),
    row("2024-03", "dental", 5, 5, member_months=0.0),
]


def test_categories_are_added_and_members_taken_once():
    assert totals(ROWS) == [("2024-01", 10.0, 11.0), ("2024-02", 6.0, None)]


def test_the_picture_is_a_small_png():
    head, data = picture("2024-03", ROWS).split("base64,")
    png = base64.b64decode(data.rstrip(")"))
    assert head.startswith("![") and png.startswith(b"\x89PNG") and 1_000 < len(png) < 40_000


def test_without_members_there_is_a_sentence():
    assert picture("2024-03", ROWS[4:]) == "No picture: no month of service has members."
