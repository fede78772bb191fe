"""Emergency visits and inpatient stays made of claim lines: what happened, where claims say what was billed.

Here: which lines are one emergency visit, what led to an admission, the table. Elsewhere: bills joined to stays
(`silver/stays.py`), what makes a line emergency or inpatient (`silver/codes.py`), and the counts that features use, as
of each month (`features/utilization.py`).
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, rule
from claims_assets.silver.codes import EMERGENCY_TYPE, is_paid
from claims_assets.silver.stays import REACH_MONTHS, inpatient_bills, months_later, stay_parts
from claims_assets.table import LastYear, table

ED, INPATIENT = "ED", "INPATIENT"
PROFESSIONAL_TYPE = "PROF"
ADMISSION_DAYS = (0, 1)
"""Days from an emergency visit to the admission that it led to: the same or the next day."""


class Encounters(Contract):
    """Emergency visits and inpatient stays: one row per visit, or per stay and claim month with bills of it.

    Rows without `continues_encounter_id` are the visits and stays, each once, in the month of its first line.
    """

    encounter_id: str = c.required("Hash of member, type, first day and facility: the same in every run.")
    member_id: str = c.member_id()
    claim_month: str = c.claim_month()
    encounter_type: str = c.required("ED or INPATIENT.", isin=(ED, INPATIENT))
    continues_encounter_id: str = c.optional(
        "Row of an earlier month that has the first part of this stay; NULL: none."
    )
    facility_id: str = c.optional("Provider id of the facility line, of the first facility after a transfer.")
    start_date: c.Date = c.required("First day in this month: of the visit, admission, or first day billed.")
    end_date: c.Date = c.required("Day of the visit or discharge; last day billed where no discharge is known.")
    length_of_stay: c.Whole = c.field("Nights of a stay, of its parts those after the part before.", ge=0)
    is_admitted: bool = c.flag("A stay, or a visit with an admission on the same or next day of its month.")
    ed_led_to_admission: bool = c.flag("A stay after an emergency visit that day or the day before, or that bills one.")
    claim_count: c.Count = c.count("Claims with a line of it.")
    line_count: c.Count = c.count("Claim lines.")
    paid_amount: c.Total = c.amount("Paid by the plan for these lines, USD.")
    primary_diagnosis_code: str = c.optional("First diagnosis of the facility line, else of a professional one.")
    known_from: str = c.known_from()

    class Config:
        unique = ["encounter_id"]
        metadata = {"rules": {"dates_are_ordered": rule("start_date <= end_date", severity="warn")}}


@table(Encounters)
def encounters(silver_medical_claims: LastYear, months: list[str]) -> DataFrame:
    """Visits and stays of the asked months, from paid lines (no status counts as paid).

    - A month reads its own and the eleven claim months before, never later ones. A stay is counted in the month of its
      first line; bills of later months (interim bills, a transfer after the month's end) become a row of their own
      month that names the first one in `continues_encounter_id`. So every line is in one row, `paid_amount` and
      `length_of_stay` add up over the rows of a stay, and no later month changes an earlier one.
    - A stay joins bills whose admission lies on or before the day after the last one's discharge. Of a stay that goes
      on (type of bill xx2, xx3) the nights billed so far count; without discharge or such a bill they are unknown.
    - A visit is all emergency lines of a member, day and facility. Professional lines, and lines without a provider,
      belong to the day's (first) facility; alone they are a visit without one. Emergency lines of an inpatient bill are
      lines of the stay.
    - A visit on the last day of a month does not know of an admission on the first of the next; the stay does.
    """
    paid = silver_medical_claims.where(is_paid())
    visiting = paid.where(F.col("emergency_flag") & ~F.col("inpatient_flag"))
    bills = inpatient_bills(paid.where("inpatient_flag"))
    stays = stay_parts(_with_emergency(bills, visiting), months)
    return _as_encounters(stays).unionByName(_visits(visiting.where(F.col("claim_month").isin(months)), bills))


def _with_emergency(bills: DataFrame, visiting: DataFrame) -> DataFrame:
    """Bills with `from_emergency`: a visit led to the admission, or the bill itself has an emergency line."""
    days = visiting.select("member_id", "service_from_date", "claim_month").dropDuplicates()
    admitted = F.explode(F.array(*[F.date_add("service_from_date", n) for n in ADMISSION_DAYS])).alias("admitted")
    led = days.select("member_id", admitted, "claim_month").groupBy("member_id", "admitted")
    visited = led.agg(F.max("claim_month").alias("visited"))
    # No visit that a run of this month alone would not read.
    in_reach = F.col("visited") > months_later(F.col("claim_month"), -REACH_MONTHS)
    found = F.col("bills_emergency") | F.coalesce(in_reach, F.lit(False))
    return bills.join(visited, ["member_id", "admitted"], "left").withColumn("from_emergency", found)


def _as_encounters(stays: DataFrame) -> DataFrame:
    first, own = F.col("first"), F.col("own")
    continues = first.getField("claim_month") < F.col("as_of")
    return stays.select(
        _id(INPATIENT, own.getField("first_day"), own.getField("facility")).alias("encounter_id"),
        "member_id",
        F.col("as_of").alias("claim_month"),
        F.lit(INPATIENT).alias("encounter_type"),
        F.when(continues, _id(INPATIENT, first.getField("first_day"), first.getField("facility"))).alias(
            "continues_encounter_id"
        ),
        _or_missing(own.getField("facility")).alias("facility_id"),
        own.getField("first_day").alias("start_date"),
        F.col("reach").alias("end_date"),
        F.col("nights").alias("length_of_stay"),
        F.lit(True).alias("is_admitted"),
        F.col("from_emergency").alias("ed_led_to_admission"),
        F.col("claims").alias("claim_count"),
        F.col("lines").alias("line_count"),
        F.col("paid").alias("paid_amount"),
        F.col("diagnosis").alias("primary_diagnosis_code"),
        F.col("known").alias("known_from"),
    )


def _visits(visiting: DataFrame, bills: DataFrame) -> DataFrame:
    """Emergency visits, from their lines and the inpatient bills of the same month."""
    visit = ("member_id", "claim_month", "service_from_date", "facility")
    diagnosis = F.struct("is_professional", "claim_id", "claim_line_number", "diagnosis_code_1")
    per_claim = _with_facility(visiting).groupBy(*visit, "claim_id").agg(
        F.count("*").alias("lines"),
        F.sum("paid_amount").alias("paid"),
        F.min(F.when(F.col("diagnosis_code_1").isNotNull(), diagnosis)).alias("said"),
        F.max("known_from").alias("known"),
    )  # fmt: skip
    per_visit = per_claim.groupBy(*visit).agg(
        F.count("*").alias("claim_count"),
        F.sum("lines").alias("line_count"),
        F.sum("paid").alias("paid_amount"),
        F.min("said").getField("diagnosis_code_1").alias("primary_diagnosis_code"),
        F.max("known").alias("known_from"),
    )
    return per_visit.join(_admissions(bills), list(visit[:3]), "left").select(
        _id(ED, F.col("service_from_date"), F.col("facility")).alias("encounter_id"),
        "member_id",
        "claim_month",
        F.lit(ED).alias("encounter_type"),
        F.lit(None).cast("string").alias("continues_encounter_id"),
        _or_missing(F.col("facility")).alias("facility_id"),
        F.col("service_from_date").alias("start_date"),
        F.col("service_from_date").alias("end_date"),
        F.lit(None).cast("int").alias("length_of_stay"),
        F.coalesce("admitted", F.lit(False)).alias("is_admitted"),
        F.lit(False).alias("ed_led_to_admission"),
        *("claim_count", "line_count", "paid_amount", "primary_diagnosis_code", "known_from"),
    )


def _with_facility(visiting: DataFrame) -> DataFrame:
    """Emergency lines with the facility of their visit, empty where the day names none."""
    billed = F.col("bill_type_code").isNotNull() | F.col("revenue_code").isNotNull()
    by_type = F.coalesce(F.col("claim_type") == EMERGENCY_TYPE, F.lit(False))
    professional = F.coalesce(F.col("claim_type") == PROFESSIONAL_TYPE, F.lit(False)) | ~(by_type | billed)
    own = F.when(~F.col("is_professional"), F.col("provider_id"))
    of_the_day = F.min("own").over(Window.partitionBy("member_id", "service_from_date"))
    return (
        visiting.withColumn("is_professional", professional)
        .withColumn("own", own)
        .withColumn("facility", F.coalesce("own", of_the_day, F.lit("")))
    )


def _admissions(bills: DataFrame) -> DataFrame:
    """Days of a claim month on which a visit led to an admission billed in that month."""
    day = F.explode(F.array(*[F.date_sub("admitted", n) for n in ADMISSION_DAYS])).alias("service_from_date")
    days = bills.select("member_id", "claim_month", day).dropDuplicates()
    return days.withColumn("admitted", F.lit(True))


def _id(kind: str, first_day: Column, facility: Column) -> Column:
    """32 hex digits that are the same in every run and on every engine."""
    key = F.concat_ws("|", F.col("member_id"), F.lit(kind), first_day.cast("string"), facility)
    return F.substring(F.sha2(key, 256), 1, 32)


def _or_missing(text: Column) -> Column:
    return F.when(text != "", text)
