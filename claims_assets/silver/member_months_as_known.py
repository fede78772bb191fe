"""Member months as they were known: what the eligibility records received by the end of a month said of that month.

Here: the table. Elsewhere: what all records say today (`silver/member_months.py`, for cost per member and for claims
outside enrolment), when a record becomes known (`silver/known_records.py`).
"""

from pyspark.sql import DataFrame

from claims_assets.silver.eligibility import MEMBER_AS_KNOWN
from claims_assets.silver.known_records import records_as_known
from claims_assets.silver.member_months import MemberMonths, described_months
from claims_assets.table import WholeAsKnown, table


class MemberMonthsAsKnown(MemberMonths):
    """Member months as known then: one row per member and month with a day that was known as enrolled at its end.

    A record counts from the month in which it was received, without one from the month of its effective date. So a
    member whose enrolment was ended, or begun, in hindsight is here in the months before that was known as it was
    thought then.
    """


@table(MemberMonthsAsKnown, domain="members")
def member_months_as_known(bronze_member_eligibility: WholeAsKnown, months: list[str]) -> DataFrame:
    """Members enrolled on any day of the asked months, by the records received by the end of each."""
    records = records_as_known(bronze_member_eligibility, months)
    return described_months(records, months, MEMBER_AS_KNOWN)
