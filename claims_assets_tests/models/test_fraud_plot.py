"""Pictures of fraud scores: a PNG in Markdown, and no bar of ten claims or fewer."""

import base64

from claims_assets.models.fraud_fitting import fit
from claims_assets.models.fraud_plot import reasons_picture, score_picture
from claims_assets_tests.models.claims import usual_claims

PNG = b"\x89PNG"


def flagged(feature: str, count: int) -> list[dict]:
    return [{"is_flagged": True, "top_features": [feature]}] * count


def drawn(markdown: str) -> bytes:
    return base64.b64decode(markdown.partition("base64,")[2].rstrip(")"))


def test_first_reasons_are_drawn_from_eleven_claims_on():
    assert reasons_picture("2025-06", flagged("line_count", 10)).startswith("No picture")
    assert drawn(reasons_picture("2025-06", flagged("line_count", 11))).startswith(PNG)
    both = reasons_picture("2025-06", [*flagged("line_count", 11), *flagged("service_units", 10)])
    assert both == reasons_picture("2025-06", flagged("line_count", 11)), "the small bar shows nowhere"


def test_claims_that_are_not_flagged_are_no_reason():
    rows = [{"is_flagged": False, "top_features": None}] * 50
    assert reasons_picture("2025-06", rows).startswith("No picture")


def test_held_out_scores_are_drawn():
    assert drawn(score_picture("xgboost 2025-06", fit(usual_claims(600), "xgboost", seed=42).artifact)).startswith(PNG)
