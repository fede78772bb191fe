"""The features once more, in DuckDB SQL, month by month and straight from the definitions: no code of the package.

For a month M and a `horizon` H (M itself for features, later for outcomes), the lines are picked first, and then
counted with plain `count(distinct ...)`; there are no spans, no spreading and no merging here. Scores are plain Python.
"""

PICKED = """
create or replace temp table picked as
select *, coalesce(paid_amount, 0) as paid,
  claim_month > {recent_after} as recent,
  claim_type = 'IP' as inpatient,
  coalesce(claim_type = 'ER', false) or coalesce(regexp_matches(revenue_code, '^(045[0-9]|0981)$'), false)
    or coalesce(procedure_code_1 between '99281' and '99285', false)
    or coalesce(procedure_code_2 between '99281' and '99285', false)
    or coalesce(place_of_service = '23', false) as emergency,
  claim_type in ('PROF', 'OP') and coalesce(
    procedure_code_1::int between 70010 and 89398 and procedure_code_1::int not between 77261 and 77799
    and procedure_code_1::int not between 79005 and 79999, false) and procedure_code_2 is null as test_only
from versions
where adjustment_indicator <> '1' and (claim_status is null or claim_status = 'PAID')
  and claim_month > {window_after} and claim_month <= {month}
  and known_from <= {horizon} and (cancelled_on is null or cancelled_on > {horizon})
"""

CONDITIONS = {
    "diabetes": "^E(08|09|10|11|13)",
    "hypertension": "^I1[012356]",
    "copd_asthma": "^J4[123457]",
    "heart_failure": "^(I50|I110|I13[02]|I0981)",
    "ckd": "^(N18|I12|I13)",
    "mental_health": "^F([2-6]|84|9)",
    "obesity": "^(E66[01289]|Z68[34]|Z685[456])",
    "cancer": "^C([0-35-9]|4[0-35-9A])",
    "substance_use": "^F1",
}
CONDITION_SQL = """
select member_id, bool_or(inpatient) or count(distinct service_from_date) >= 2 as has_{name}
from picked, unnest([{positions}]) as d(code)
where claim_feed = 'medical' and not test_only and regexp_matches(code, '{pattern}') group by member_id
"""

MEDICAL = """
select member_id,
  count(distinct claim_id) as claim_count_12mo, count(distinct service_from_date) as service_days_12mo,
  sum(paid) as total_paid_12mo, sum(paid)::double / count(distinct claim_id) as avg_claim_amount,
  count(distinct service_from_date) filter (emergency) as er_visit_count_12mo,
  count(distinct provider_id) as unique_provider_count,
  count(distinct claim_id) filter (recent) as recent_claim_count_90d,
  coalesce(sum(paid) filter (recent), 0) as recent_paid_90d,
  coalesce(sum(paid) filter (not recent), 0) as prior_paid_275d,
  count(distinct service_from_date) filter (emergency and recent) as recent_er_visits_90d,
  count(distinct service_from_date) filter (emergency and not recent) as prior_er_visits_275d,
  {end} - max(service_from_date) as days_since_last_medical_claim,
  {end} - max(service_from_date) filter (emergency) as days_since_last_er_visit
from picked where claim_feed = 'medical' group by member_id
"""
CLAIMS = """
select member_id, max(amount) as max_claim_amount, count(*) filter (amount > 10000) as high_cost_claim_count,
  count(*) filter (not recent) as prior_claim_count_275d
from (
  select member_id, claim_id, sum(paid) as amount, bool_or(recent) as recent
  from picked where claim_feed = 'medical' group by member_id, claim_id)
group by member_id
"""
STAYS = """
select member_id, count(*) as inpatient_admit_count_12mo,
  coalesce(sum(days) filter (days >= 0), 0) as total_inpatient_days,
  coalesce(avg(days) filter (days >= 0), 0) as avg_length_of_stay, {end} - max(admitted) as days_since_last_admission
from (
  select member_id, coalesce(admit_date, service_from_date) as admitted, max(discharge_date) - admitted as days
  from picked where inpatient group by member_id, admitted)
group by member_id
"""
FILLS = """
select member_id, count(*) as rx_fill_count_12mo, count(distinct ndc_code) as unique_drug_count,
  count(distinct therapeutic_class) as unique_therapy_class_count, sum(paid) as total_rx_paid_12mo,
  sum(paid)::double / count(*) as avg_rx_cost,
  coalesce(avg(days_supply) filter (days_supply between 1 and 365), 0) as avg_days_supply,
  count(*) filter (generic_indicator in ('Y', 'GENERIC')) as generic_fill_count,
  count(*) filter (therapeutic_class similar to '.*(OPIOID|BENZODIAZEPINE|STIMULANT).*') as controlled_substance_count,
  count(*) filter (paid > 500) as high_cost_rx_count,
  {end} - max(service_from_date) as days_since_last_rx_fill
from picked where claim_feed = 'pharmacy' group by member_id
"""


def expected(versions, members, month: str, horizon: str | None = None) -> dict[str, dict]:
    """Member -> column -> value, for the members of the month."""
    import duckdb

    after = {"window_after": _before(month, 12), "recent_after": _before(month, 3)}
    texts = {name: f"'{value}'" for name, value in {"month": month, "horizon": horizon or month, **after}.items()}
    end = f"last_day(date '{month}-01')"
    with duckdb.connect() as db:
        db.register("versions", versions)
        db.register("members", members)
        db.execute(PICKED.format(**texts))
        positions = ", ".join(f"diagnosis_code_{n}" for n in range(1, 13))
        parts = [sql.format(end=end) for sql in (MEDICAL, CLAIMS, STAYS, FILLS)]
        parts += [CONDITION_SQL.format(name=n, pattern=p, positions=positions) for n, p in CONDITIONS.items()]
        joined = " ".join(f"left join ({sql}) using (member_id)" for sql in parts)
        found = db.execute(f"select * from (select member_id, age from members where claim_month = '{month}') {joined}")
        names = [column[0] for column in found.description]
        return {row[0]: _completed(dict(zip(names, row, strict=True))) for row in found.fetchall()}


def _completed(row: dict) -> dict:
    """Defaults of members without claims, recency, trends, counts of conditions, scores."""
    for name in [n for n in row if n.startswith("days_since_last_")]:
        row[f"never_{name.removeprefix('days_since_last_')}"] = row[name] is None
        row[name] = 366 if row[name] is None else min(max(row[name], 0), 366)
    row |= {n: (False if n.startswith("has_") else 0) for n, v in row.items() if v is None and n != "age"}
    row["chronic_condition_count"] = sum(row[f"has_{n}"] for n in CONDITIONS if n != "substance_use")
    row["claim_count_trend_pct"] = _trend(row["recent_claim_count_90d"], row["prior_claim_count_275d"])
    row["cost_trend_pct"] = _trend(float(row["recent_paid_90d"]), float(row["prior_paid_275d"]))
    return row | _scores(row)


def _trend(recent: float, prior: float) -> float:
    if not prior:
        return 10.0 if recent else 0.0
    return min((3 * recent - prior) / prior, 10.0)


def _scores(row: dict) -> dict:
    age, visits, stays, paid = (
        row[n] for n in ("age", "er_visit_count_12mo", "inpatient_admit_count_12mo", "total_paid_12mo")
    )
    old = 1 if age is None else 3 if age < 1 or age >= 75 else 2 if age < 5 or age >= 65 else 1
    chronic = min(row["chronic_condition_count"], 3)
    used = 3 if visits >= 4 or stays >= 2 else 2 if visits >= 2 or stays == 1 else min(visits, 1)
    cost = sum(paid >= limit for limit in (10_000, 25_000, 50_000))
    total = old + chronic + used + cost
    tier = "High" if total >= 9 else "Medium" if total >= 6 else "Low" if total >= 3 else "Very Low"
    return {
        "age_risk_score": old, "chronic_condition_risk_score": chronic, "utilization_risk_score": used,
        "cost_risk_score": cost, "composite_risk_score": total, "risk_tier": tier,
    }  # fmt: skip


def _before(month: str, months: int) -> str:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
