"""The feeds of landing contract v1: which columns a file brings, and which it must bring.

Here: names only, and the shape of the stage and of its quarantine. Elsewhere: types and rules of values
(`bronze/`), how a payer's own names become these (`mapping.py`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

CLAIM_MONTH, FILE_KEY = "claim_month", "file_key"
SOURCE_FILE, SOURCE_LINE, RECEIVED_MONTH = "source_file", "source_line", "received_month"
RESCUED, RAW, REASONS = "_rescued_data", "_raw", "_reasons"
LANDING, QUARANTINE = "landing", "quarantine"
"""Delta schemas that this folder writes."""


class LandingError(ValueError):
    """The landing zone can't be used as it is; the message is one sentence that names the file and the remedy."""


@dataclass(frozen=True)
class Feed:
    """One kind of landing file; every column is staged as text."""

    name: str
    description: str
    """Grain first: what one record is."""
    columns: tuple[str, ...]
    required: tuple[str, ...]
    """Columns that every file must bring, under their own names or through the mapping."""
    date_column: str | None
    """The date whose month is the claim month; None for a feed that is not partitioned by month."""
    optional: bool
    """Whether the feed may be absent."""
    domain: str
    """Dagster tag."""

    @property
    def date_columns(self) -> frozenset[str]:
        """Columns that hold a date or a point in time, to which a mapping's `date_format` applies."""
        return frozenset(c for c in self.columns if c.endswith(("_date", "_at")) or c in ("active_from", "active_to"))

    @property
    def partition_by(self) -> list[str]:
        """Delta partition columns of the stage."""
        return [CLAIM_MONTH, FILE_KEY] if self.date_column else [FILE_KEY]

    def stage_schema(self) -> "pyarrow.Schema":
        """Columns of `landing.<feed>`: the feed's, then where each row came from."""
        import pyarrow as pa

        names = [*self.columns, SOURCE_FILE, SOURCE_LINE, RECEIVED_MONTH, RESCUED, RAW, *self.partition_by]
        return pa.schema([pa.field(n, pa.int64() if n == SOURCE_LINE else pa.string()) for n in names])

    def quarantine_schema(self) -> "pyarrow.Schema":
        """Columns of `quarantine.landing_<feed>`."""
        import pyarrow as pa

        kinds = {SOURCE_LINE: pa.int64(), REASONS: pa.list_(pa.string())}
        names = [SOURCE_FILE, SOURCE_LINE, CLAIM_MONTH, RAW, REASONS, FILE_KEY]
        return pa.schema([pa.field(n, kinds.get(n, pa.string())) for n in names])


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FEEDS: dict[str, Feed] = {
    feed.name: feed
    for feed in (
        Feed(
            name="medical_claims",
            description="One row per medical claim line of a landing file; a header-only feed brings line 1.",
            columns=_words(
                "claim_id claim_line_number member_id claim_date service_from_date service_to_date admit_date"
                " discharge_date paid_date provider_id adjustment_indicator original_claim_id claim_type claim_status"
            )
            + tuple(f"diagnosis_code_{n}" for n in range(1, 13))
            + _words(
                "procedure_code_1 procedure_code_2 procedure_modifier_1 procedure_modifier_2 revenue_code"
                " bill_type_code place_of_service drg_code ndc_code billed_amount allowed_amount paid_amount"
                " member_liability service_units"
            ),
            required=_words("claim_id member_id claim_date service_from_date"),
            date_column="service_from_date",
            optional=False,
            domain="claims",
        ),
        Feed(
            name="pharmacy_claims",
            description="One row per pharmacy fill of a landing file.",
            columns=_words(
                "claim_id member_id fill_date ndc_code paid_date pharmacy_id prescriber_id drug_name days_supply"
                " quantity refill_number adjustment_indicator original_claim_id claim_status allowed_amount"
                " paid_amount member_copay generic_indicator therapeutic_class"
            ),
            required=_words("claim_id member_id fill_date ndc_code"),
            date_column="fill_date",
            optional=True,
            domain="claims",
        ),
        Feed(
            name="member_eligibility",
            description="One row per eligibility span of a landing file.",
            columns=_words(
                "member_id effective_date term_date birth_date gender race ethnicity zip_code county language"
                " eligibility_category aid_category dual_eligible ltss_indicator death_date smoker bmi household_id"
            ),
            required=_words("member_id effective_date"),
            date_column=None,
            optional=False,
            domain="members",
        ),
        Feed(
            name="immunizations",
            description="One row per dose of a registry file.",
            columns=_words("member_id administered_date cvx_code ndc_code lot_number status reason source"),
            required=_words("member_id administered_date"),
            date_column=None,
            optional=True,
            domain="members",
        ),
        Feed(
            name="member_contacts",
            description="One row per member and way of contact of a landing file.",
            columns=_words(
                "member_id channel value opt_out opt_out_date last_contacted_at last_outcome preferred_language"
                " contact_role"
            ),
            required=_words("member_id"),
            date_column=None,
            optional=True,
            domain="outreach",
        ),
        Feed(
            name="outreach_contacts",
            description="One row per attempt to reach a member that the outreach team reports.",
            columns=_words("member_id contacted_at channel outcome list_month campaign"),
            required=_words("member_id contacted_at channel outcome"),
            date_column=None,
            optional=True,
            domain="outreach",
        ),
        Feed(
            name="fraud_labels",
            description="One row per decision of an investigator on one claim.",
            columns=_words("claim_id label decided_at case_id reason"),
            required=_words("claim_id label decided_at"),
            date_column=None,
            optional=True,
            domain="claims",
        ),
        Feed(
            name="providers",
            description="One row per record of the provider database's table, or of a provider file.",
            columns=_words(
                "provider_id provider_name provider_type specialty npi taxonomy_code address_line1 city state"
                " zip_code active_from active_to"
            ),
            required=_words("provider_id"),
            date_column=None,
            optional=True,
            domain="providers",
        ),
    )
}
"""Feed by name, in the order in which they are read."""
