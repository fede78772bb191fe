"""The columns that a fraud model learns from, what each is made of, and which of them make the score.

Here: lists and relations, nothing fitted. Elsewhere: the columns themselves (`features/claim_fraud_features.py`), the
fit (`fraud_fitting.py`), scoring (`fraud_artifact.py`).
"""

from collections.abc import Iterable

AMOUNTS = ("claim_amount", "allowed_amount", "average_claim_amount")
"""Logarithms around the median of the training, so that the currency's unit leaves no trace."""
COUNTS = (
    "days_since_last_claim", "num_previous_claims", "claim_duration_days", "line_count", "service_units",
    "units_per_day", "distinct_procedures", "repeated_lines", "separate_lines", "claims_same_day", "claims_week",
    "claims_month", "previous_claims_with_provider", "provider_claims_same_day",
)  # fmt: skip
"""Logarithms of one more: from 1 to 2 is much, from 101 to 102 is nothing."""
PLAIN = ("patient_age", "provider_experience_years", "is_provider_of_region", "impossible_count")
WORDS = (
    "claim_type", "provider_specialty", "diagnosis_code", "procedure_code", "patient_gender", "geographic_region",
    "place_of_service",
)  # fmt: skip
PEERS = "peer_relative_amount"
"""Claim amount against the median of claims of the same type and procedure; made by the model, which keeps the
medians."""
COLUMNS = (*AMOUNTS, *COUNTS, *PLAIN, *WORDS)
"""Read from `gold.claim_fraud_features`, with `claim_id`."""

MODELLED = (
    "claim_amount", "patient_age", "provider_experience_years", "days_since_last_claim", "num_previous_claims",
    "average_claim_amount", "claim_duration_days", "claim_type", "provider_specialty", "diagnosis_code",
    "procedure_code", "patient_gender", "geographic_region", "allowed_amount", "line_count", "service_units",
    "units_per_day", "distinct_procedures", "repeated_lines", "separate_lines", "previous_claims_with_provider",
    "place_of_service",
)  # fmt: skip
"""Features that have a model of their own: first the seven numeric and six categorical ones of the source (public
project sandeshregmi/claims-autoencoder), then what the context of a claim adds."""
MORE_IS_SUSPICIOUS = (
    "claim_amount", "allowed_amount", "claim_duration_days", "line_count", "service_units", "units_per_day",
    "distinct_procedures", "repeated_lines", "separate_lines",
)  # fmt: skip
"""Nobody commits fraud by billing less than expected: only an excess is an error."""
LESS_IS_SUSPICIOUS = ("previous_claims_with_provider",)
DIRECT = ("impossible_count",)
"""Counts as it is: what excludes itself needs no model to be unusual."""
COUNTED = (
    *MORE_IS_SUSPICIOUS, *LESS_IS_SUSPICIOUS, *DIRECT,
    "claim_type", "provider_specialty", "diagnosis_code", "procedure_code", "place_of_service",
)  # fmt: skip
"""Features whose errors make the score: what the claim itself says. Who the member and the provider are (age, gender,
region, experience, history) helps to predict these and never raises a score by itself: measured, it added noise only
(docs/fraud.md), and an unusual person is no suspicion."""

_MADE_OF: dict[str, tuple[str, ...]] = {
    PEERS: ("claim_amount", "claim_type", "procedure_code"),
    "impossible_count": (
        "diagnosis_code", "procedure_code", "place_of_service", "patient_age", "patient_gender", "service_units",
    ),
    "units_per_day": ("service_units", "claim_duration_days"),
    "is_provider_of_region": ("geographic_region",),
}  # fmt: skip
"""Column -> features that it is computed from, where these are not its own family."""
_FAMILIES = (
    ("claim_amount", "allowed_amount", PEERS),
    ("service_units", "units_per_day"),
    ("line_count", "distinct_procedures", "repeated_lines", "separate_lines"),
    ("days_since_last_claim", "num_previous_claims", "claims_same_day", "claims_week", "claims_month"),
)
"""Columns that tell of each other: none predicts another of its family."""


class Leak(ValueError):
    """A model would be given what it is to predict."""


def inputs_of(feature: str, columns: Iterable[str] = (*COLUMNS, PEERS)) -> list[str]:
    """What the model of a feature may see: all columns but its own, its family, and what is made of it."""
    barred = {feature, *next((f for f in _FAMILIES if feature in f), ())}
    return [n for n in columns if n not in barred and not barred & {*_MADE_OF.get(n, ())}]


def refuse_leaks(feature: str, inputs: Iterable[str]) -> None:
    """Refuse inputs that are, or are made of, the feature.

    Raises:
        Leak: names the feature and the inputs.
    """
    given = list(inputs)
    allowed = set(inputs_of(feature, given))
    leaking = [n for n in given if n not in allowed]
    if leaking:
        raise Leak(f"The model of {feature} is given {', '.join(leaking)}, which tell it: take them out of its inputs.")
