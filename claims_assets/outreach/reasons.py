"""The sentences of a row: why a member is listed, in this tier, through this channel and in this week, or why not.

Made of the row alone, so that a second person can check it. Elsewhere: the facts (`vaccine_needs.py`,
`contact_ways.py`, `capacity.py`), the formula (`formulas.py`).
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from claims_assets.numbers import rounded
from claims_assets.outreach import formulas, standing
from claims_assets.outreach.capacity import LETTER_TIER, MAIL, PHONE
from claims_assets.outreach.policy import CHANNELS

OPEN_END = float("-inf")


def reason() -> Column:
    """The reason in plain English; never NULL.

    Each sentence stands once, with when it is said: what is said in several cases would be planned for each of them.
    """
    is_listed = F.col("exclusion_reason").isNull()
    is_offered = is_listed | F.col("exclusion_reason").isin(standing.HOLDOUT, standing.OVER_CAPACITY)
    offer = F.when(is_offered, F.concat_ws(" ", _vaccines(), _score(), _tier()))
    return F.concat_ws(" ", _why_excluded(), offer, F.when(is_listed, F.concat_ws(" ", _channel(), _also_served())))


def _why_excluded() -> Column:
    """One sentence by reason; NULL where there is none."""
    return F.coalesce(*[F.when(F.col("exclusion_reason") == name, said) for name, said in _exclusions().items()])


def _exclusions() -> dict[str, Column]:
    said = _text
    return {
        standing.DECEASED: said("Died on ", F.col("death_date"), "."),
        standing.DISENROLLED: F.lit("Not enrolled on the last day of the month."),
        standing.OPT_OUT: F.lit("Opted out of every channel on file."),
        standing.HOSPICE: said("In hospice care on ", F.col("last_hospice_date"), ", less than a year ago."),
        standing.BIRTH_DATE_UNKNOWN: F.lit("Birth date unknown, so no rule of the schedule can be applied."),
        standing.CONTRAINDICATED: said(
            "Nothing may be offered; contraindicated: ", _names("vaccines_contraindicated"), "."
        ),
        standing.COMPLETE: said("All that is recommended has evidence: ", _names("vaccines_complete"), "."),
        standing.NOT_DUE_YET: said("Nothing is due now; due later: ", _names("vaccines_not_yet"), "."),
        standing.NO_EVIDENCE: said(
            "Nothing is known to be missing; may have been given elsewhere, which the policy does not list: ",
            _names("vaccines_no_evidence"),
            ".",
        ),
        standing.CLINICIAN_DECIDES: said("Only a clinician can decide: ", _names("vaccines_to_discuss"), "."),
        standing.NO_VACCINE_APPLIES: F.lit("No rule of the schedule holds for the member."),
        standing.COOLDOWN: said(
            "Last contact on ", F.col("last_contacted_at"), ", less than ", F.col("cooldown_days"), " days ago."
        ),
        standing.MINOR_WITHOUT_GUARDIAN: F.lit("Minor, and neither a guardian nor an adult of the household is known."),
        standing.NO_CHANNEL: F.lit("No channel is on file that was not opted out of."),
        standing.HOLDOUT: F.lit("Household held out for comparison in this program year; would otherwise be offered:"),
        standing.OVER_CAPACITY: said(
            "No room left in the month through ", _names("reachable_channels"), ", which went to higher scores."
        ),
    }


def _vaccines() -> Column:
    """`Overdue: .. Due: .. No dose seen: ..`, each vaccine with since when and by which rule."""
    return F.concat_ws(
        " ",
        _listing("Overdue", "_said_overdue"),
        _listing("Due", "_said_due"),
        _listing("No dose seen, may have been given elsewhere, ask", "_said_no_evidence"),
        F.when(F.col("lists_discuss"), _listing("To be discussed with a clinician", "_said_discuss")),
    )


def _listing(title: str, said: str) -> Column:
    return F.when(F.col(said) != "", _text(f"{title}: ", F.col(said), "."))


def _score() -> Column:
    """The score with its parts, as the formula adds them."""
    extra = [
        F.when(F.col("age") >= formulas.SENIOR_AGE, F.lit(f", age {formulas.SENIOR_AGE} or more")),
        F.when(
            F.col("chronic_condition_count") >= formulas.MANY_CONDITIONS,
            F.lit(f", {formulas.MANY_CONDITIONS} or more conditions"),
        ),
    ]
    priority = formulas.WEIGHTS["immunization_priority_score"]
    return _text(
        "Score ",
        _number("outreach_priority_score"),
        f" = {priority:g} x priority ",
        _number("immunization_priority_score"),
        " (risk tier ",
        F.col("risk_tier"),
        *extra,
        ")",
        *[
            piece
            for name, said in (
                ("high_risk_score", "high risk"),
                ("er_utilization_risk_score", "emergency visits"),
                ("high_cost_risk_score", "high cost"),
            )
            for piece in (f" + {formulas.WEIGHTS[name]:g} x ", _number(name), f" ({said})")
        ],
        ".",
    )


def _tier() -> Column:
    """The tier with the bounds of its score."""
    said, above = [], None
    for least, tier, recommended in formulas.TIERS:
        bounds = [f"from {least:g}" if least != OPEN_END else "", f"below {above:g}" if above is not None else ""]
        sentence = f"{tier}: score {' and '.join(b for b in bounds if b)}; recommended: {recommended}."
        said.append(F.when(F.col("outreach_tier") == tier, F.lit(sentence)))
        above = least
    return F.coalesce(*said)


def _channel() -> Column:
    """The channel and its week, whom it reaches, and for each better channel why it is not that one."""
    by = _text("Contact by ", F.col("contact_channel"), " in week ", F.col("contact_week"))
    letter = F.when(F.col("also_by_mail"), _text(", and by a letter in week ", F.col("letter_week")))
    person = F.when(F.col("_through_adult"), F.lit(", to an adult of the household"))
    guardian = F.when(F.col("is_minor") & ~F.col("_through_adult"), F.lit(", to the guardian"))
    return F.concat_ws(" ", _text(by, letter, person, guardian, "."), *_passed_over(), _no_letter())


def _passed_over() -> list[Column]:
    """One sentence for each channel that the contact's tier prefers to the one it got."""
    return [F.when(F.array_contains("_better", c), _text(f"Not by {c}: ", _why_not(c), ".")) for c in CHANNELS]


def _no_letter() -> Column:
    without = (F.col("contact_tier") == LETTER_TIER) & (F.col("contact_channel") == PHONE) & ~F.col("also_by_mail")
    return F.when(without, _text("No letter: ", _why_not(MAIL), "."))


def _why_not(channel: str) -> Column:
    return (
        F.when(~F.array_contains("_ways", channel), F.lit("not on file"))
        .when(F.array_contains("_no", channel), F.lit("opted out"))
        .otherwise(F.lit("no room left, taken by higher scores"))
    )


def _also_served() -> Column:
    """Where another member of the same contact decided its tier."""
    return F.when(
        F.col("contact_tier") != F.col("outreach_tier"),
        _text("The same contact serves a member of the household in ", F.col("contact_tier"), ", which chose it."),
    )


def _names(vaccines: str) -> Column:
    return F.concat_ws(", ", vaccines)


def _number(column: str) -> Column:
    """Two decimals, the same digits on every engine."""
    return rounded(F.col(column), 2).cast("decimal(8,2)").cast("string")


def _text(*parts: str | Column) -> Column:
    """The parts that are not NULL, in a row."""
    return F.concat_ws("", *[F.lit(p) if isinstance(p, str) else p.cast("string") for p in parts])
