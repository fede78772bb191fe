"""Whether a member is a candidate of the list, or the one primary reason why not; and who is kept back to compare.

Here: reasons that hold before anybody is given a place. Elsewhere: places (`capacity.py`), sentences (`reasons.py`).
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

DECEASED, DISENROLLED, OPT_OUT, HOSPICE = "deceased", "disenrolled", "opt_out", "hospice"
BIRTH_DATE_UNKNOWN, CONTRAINDICATED, COMPLETE = "birth_date_unknown", "contraindicated", "complete"
NOT_DUE_YET, NO_EVIDENCE, CLINICIAN_DECIDES = "not_due_yet", "no_evidence", "clinician_decides"
NO_VACCINE_APPLIES, COOLDOWN, MINOR_WITHOUT_GUARDIAN = "no_vaccine_applies", "cooldown", "minor_without_guardian"
NO_CHANNEL, HOLDOUT, OVER_CAPACITY = "no_channel", "holdout", "over_capacity"
EXCLUSIONS = (
    DECEASED,
    DISENROLLED,
    OPT_OUT,
    HOSPICE,
    BIRTH_DATE_UNKNOWN,
    CONTRAINDICATED,
    COMPLETE,
    NOT_DUE_YET,
    NO_EVIDENCE,
    CLINICIAN_DECIDES,
    NO_VACCINE_APPLIES,
    COOLDOWN,
    MINOR_WITHOUT_GUARDIAN,
    NO_CHANNEL,
    HOLDOUT,
    OVER_CAPACITY,
)
"""Reasons in the order of precedence: the first that holds is the primary one. What nobody may overrule comes first,
then what needs no contact, then what stands in its way, then what the program decides."""

SHARES = 1_000_000
"""Steps in which a household's hash is compared with the share that is kept back."""


def reason_before_places() -> Column:
    """The first reason that holds but the last two; NULL: a candidate."""
    return (
        F.when(F.col("death_date") <= F.col("_month_end"), DECEASED)
        .when(~enrolled_at_the_end(), DISENROLLED)
        .when(F.col("opted_out"), OPT_OUT)
        .when(F.col("last_hospice_date").isNotNull(), HOSPICE)
        .when(F.col("birth_date").isNull(), BIRTH_DATE_UNKNOWN)
        .when(~needs_contact(), _nothing_to_offer())
        .when(F.datediff("_month_end", "last_contacted_at") < F.col("cooldown_days"), COOLDOWN)
        .when(~F.col("has_guardian"), MINOR_WITHOUT_GUARDIAN)
        .when(F.size("reachable_channels") == 0, NO_CHANNEL)
    )


def needs_contact() -> Column:
    """A vaccine is due or overdue, or one that the policy also lists is open."""
    return (
        _some("due")
        | _some("overdue")
        | (F.col("lists_no_evidence") & _some("no_evidence"))
        | (F.col("lists_discuss") & _some("discuss"))
    )


def enrolled_at_the_end() -> Column:
    """Enrolled on the last day of the month: who left within it is no member any more."""
    return F.col("enrolment_by_day").endswith("1")


def is_holdout() -> Column:
    """The household is kept back in this program year: by a hash of seed, household and year, so by nothing else.

    A member without a household stands alone.
    """
    year = F.substring("claim_month", 1, 4).cast("int")
    month = F.substring("claim_month", 6, 2).cast("int")
    program_year = F.when(month >= F.col("program_year_starts_in"), year).otherwise(year - 1)
    drawn = F.xxhash64(F.concat_ws("|", "holdout_seed", household(), program_year.cast("string")))
    return F.pmod(drawn, F.lit(SHARES)) < F.col("holdout_share") * SHARES


def household() -> Column:
    """What members of one household share and nobody else."""
    return F.coalesce(F.concat(F.lit("h "), "household_id"), F.concat(F.lit("m "), "member_id"))


def _nothing_to_offer() -> Column:
    """A discussion alone leaves a member complete: what a clinician decides is not missing."""
    return (
        F.when(_some("contraindicated") & ~_some("not_yet"), CONTRAINDICATED)
        .when(_some("complete") & ~_some("not_yet") & ~_some("no_evidence"), COMPLETE)
        .when(_some("not_yet"), NOT_DUE_YET)
        .when(_some("no_evidence"), NO_EVIDENCE)
        .when(_some("discuss"), CLINICIAN_DECIDES)
        .otherwise(NO_VACCINE_APPLIES)
    )


def _some(status: str) -> Column:
    """A vaccine has the status."""
    return F.col(f"_has_{status}")
