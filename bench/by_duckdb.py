"""The tables of the benchmark as one would write them by hand in DuckDB: SQL over Parquet, delta-rs for the commits.

Each function makes one table of all months from the files of the tables before it. No contracts, no quarantine, no
checks, no record of what was built from what. Shared with the graph are the code lists, and the two rules that are
plain Python on any engine: lines of one number (`silver/line_versions.py`, a few thousand rows) and the chain ladder
(`features/valuation.py`). All else is written anew, and `equal.py` holds it against the graph's rows.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
from deltalake import DeltaTable, write_deltalake

from bench.wanted import Wanted, run
from claims_assets.features.comorbidities import Comorbidity, comorbidities
from claims_assets.features.conditions import CONDITIONS
from claims_assets.features.valuation import EXPOSED, MOVED, valued
from claims_assets.silver import service_categories as sc
from claims_assets.silver.line_versions import GIVEN, KEY, settled
from claims_assets.sources.code_sets import DEMOGRAPHICS, demographic_labels

MACROS = """
create macro tidy(x) as nullif(trim(x), '');
create macro coded(x) as nullif(upper(trim(x)), '');
create macro diagnosis(x) as nullif(upper(translate(x, '. ', '')), '');
create macro padded(x, n) as case when length(x) < n then lpad(x, n, '0') else x end;
create macro bill(x) as case when length(coded(x)) = 3 then '0' || coded(x) else coded(x) end;
create macro drg(x) as
  case when regexp_full_match(coded(x), '[0-9]{1,2}') then lpad(coded(x), 3, '0') else coded(x) end;
create macro ndc(x) as
  case when regexp_full_match(trim(x), '[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}')
  then lpad(split_part(trim(x), '-', 1), 5, '0') || lpad(split_part(trim(x), '-', 2), 4, '0')
    || lpad(split_part(trim(x), '-', 3), 2, '0')
  else nullif(regexp_replace(x, '[^0-9]', '', 'g'), '') end;
create macro written(x) as case when trim(x) in ('1', '4') then trim(x) else '0' end;
create macro named(x) as case when trim(x) <> '' and not regexp_full_match(trim(x), '0+') then trim(x) end;
create macro stated(paid, allowed) as coalesce(case when paid <> 0 then paid end, allowed, paid);
create macro acting(indicator, claim, original, status, paid, allowed) as
  case when written(indicator) = '0' and named(original) <> trim(claim)
    and (stated(paid, allowed) < 0 or upper(trim(status)) = 'REVERSED') then '1' else written(indicator) end;
create macro month_of(d) as year(d) * 12 + month(d) - 1;
create macro number_of(m) as cast(m[1:4] as int) * 12 + cast(m[6:7] as int) - 1;
create macro month_text(m) as printf('%04d-%02d', m // 12, m % 12 + 1);
create macro is_emergency(kind, revenue, code_1, code_2, place) as
  coalesce(kind = 'ER', false) or coalesce(revenue between '0450' and '0459' or revenue = '0981', false)
  or coalesce(code_1 in ('99281', '99282', '99283', '99284', '99285'), false)
  or coalesce(code_2 in ('99281', '99282', '99283', '99284', '99285'), false) or coalesce(place = '23', false);
create macro within_a_year(d, first) as case when d between first - 365 and first + 365 then d end;
"""
EMERGENCY = "is_emergency(claim_type, revenue_code, procedure_code_1, procedure_code_2, place_of_service)"
INPATIENT = "coalesce(claim_type = 'IP', false)"
PAID = "coalesce(claim_status, 'PAID') = 'PAID'"
ALL = "between unbounded preceding and unbounded following"
BEFORE = "rows between unbounded preceding and 1 preceding"
SO_FAR = "rows between unbounded preceding and current row"
DIAGNOSES = ", ".join(f"diagnosis_code_{n}" for n in range(1, 13))
WINDOW, RECENT, VALUED = 12, 3, 24
SPAN = "member_id, known_first, known_last"


class Engine:
    """A DuckDB connection, the lake it reads, and the months asked for."""

    def __init__(self, lake: Path, out: Path, wanted: Wanted, memory: int):
        self.lake, self.out, self.wanted = lake, out, wanted
        self.db = duckdb.connect(config={"memory_limit": f"{memory // 1_000_000}MB", "preserve_insertion_order": False})
        self.db.execute(f"set temp_directory = '{out / '_spill'}'; set enable_progress_bar = false")
        self.db.execute(MACROS)
        self.first, self.last = wanted.numbers[0], wanted.numbers[-1]

    def see(self, *names: str) -> None:
        """Views on the files of tables, named <schema>_<table>."""
        for name in names:
            schema, _, table = name.partition("_")
            stored = DeltaTable(str((self.lake if schema == "bronze" else self.out) / schema / table))
            hive = ", hive_partitioning = true, hive_types = {'claim_month': varchar}"
            files = ", ".join(f"'{uri}'" for uri in stored.file_uris())
            options = hive if stored.metadata().partition_columns else ""
            self.db.execute(f"create or replace view {name} as from read_parquet([{files}]{options})")

    def save(self, name: str, sql: str) -> None:
        """Commit the rows of a query, in the columns and types that are asked for."""
        columns = ", ".join(f'cast("{n}" as {kind}) as "{n}"' for n, kind in self.wanted.duckdb[name].items())
        rows = self.db.sql(f"select {columns} from ({sql})").to_arrow_reader(65_536)
        schema, _, table = name.partition("_")
        write_deltalake(str(self.out / schema / table), rows, mode="overwrite", partition_by=["claim_month"])


def claim_versions(e: Engine) -> None:
    """Both feeds with clean codes, and when each line stopped counting."""
    e.see("bronze_medical_claims", "bronze_pharmacy_claims", "bronze_claim_links")
    acting = "acting(adjustment_indicator, claim_id, original_claim_id, claim_status, paid_amount, allowed_amount)"
    both = f"""tidy(claim_id) as claim_id, tidy(member_id) as member_id, {acting} as adjustment_indicator,
      tidy(original_claim_id) as original_claim_id, coded(claim_status) as claim_status, ndc(ndc_code) as ndc_code"""
    diagnoses = ", ".join(f"diagnosis(diagnosis_code_{n}) as diagnosis_code_{n}" for n in range(1, 13))
    e.db.execute(f"""
    create or replace view lines as
    select 'medical' as claim_feed, * replace ({both}, {diagnoses}, tidy(provider_id) as provider_id,
      coded(claim_type) as claim_type, coded(procedure_code_1) as procedure_code_1,
      coded(procedure_code_2) as procedure_code_2, coded(procedure_modifier_1) as procedure_modifier_1,
      coded(procedure_modifier_2) as procedure_modifier_2, padded(coded(revenue_code), 4) as revenue_code,
      bill(bill_type_code) as bill_type_code, padded(coded(place_of_service), 2) as place_of_service,
      drg(drg_code) as drg_code) from bronze_medical_claims
    union all by name
    select 'pharmacy' as claim_feed, 1 as claim_line_number, fill_date as claim_date, fill_date as service_from_date,
      fill_date as service_to_date, 'RX' as claim_type, tidy(prescriber_id) as provider_id, * replace ({both},
      tidy(pharmacy_id) as pharmacy_id, tidy(prescriber_id) as prescriber_id,
      coded(generic_indicator) as generic_indicator, coded(therapeutic_class) as therapeutic_class)
    from bronze_pharmacy_claims""")
    _settle(e)
    e.save(
        "silver_claim_versions",
        """
    with linked as (
      select l.* replace (coalesce(s.counts_from, l.known_from) as known_from), k.chain_state, s.reason,
        coalesce(k.root_claim_id, l.claim_id) as root_claim_id, coalesce(s.version_number, 1) as version_number,
        coalesce(s.line_cancelled_on < k.cancelled_on, s.line_cancelled_on is not null) as line_first,
        case when line_first then s.line_cancelled_on else k.cancelled_on end as cancelled_on,
        case when line_first then l.claim_id else k.cancelled_by end as cancelled_by
      from lines l
      left join bronze_claim_links k using (claim_feed, claim_id, adjustment_indicator)
      left join settled s using (claim_feed, source_file, source_line))
    from linked where reason is null and chain_state is distinct from 'chain_has_a_cycle'
      and not (adjustment_indicator = '1' and coalesce(chain_state = 'original_is_unknown', false))
      and not (adjustment_indicator <> '0' and chain_state is null)""",
    )


def _settle(e: Engine) -> None:
    """The table `settled`: what lines of the same number say about each other."""
    arrival = ("known_from", "received_month", "source_file", "source_line")
    said = ", ".join(f"coalesce(cast({n} as varchar), '')" for n in e.db.view("lines").columns if n not in arrival)
    key, texts = ", ".join(KEY), ", ".join(f"cast({n} as varchar) as {n}" for n in dict.fromkeys([*KEY, *GIVEN]))
    found = e.db.execute(f"""
    with more as (select {key} from lines group by all having count(*) > 1)
    select {texts}, source_line
    from (select *, stated(paid_amount, allowed_amount) as amount, md5(concat_ws('|', {said})) as content
      from lines semi join more using ({key}))""").df()
    e.db.register("answers", settled(found))
    e.db.execute("create or replace temp table settled as from answers")
    e.db.unregister("answers")


def member_months(e: Engine) -> None:
    """Enrolment and attributes of each month, by all records."""
    e.see("bronze_member_eligibility")
    e.db.execute(f"""
    create or replace temp table records as
    with newest as (
      select * replace (tidy(member_id) as member_id) from bronze_member_eligibility
      qualify row_number() over (partition by tidy(member_id), effective_date
        order by received_month desc nulls last, source_file desc, source_line desc) = 1)
    select *, {e.first} as known_first, {e.last} as known_last from newest""")
    e.save("silver_member_months", _described(e))


def member_months_as_known(e: Engine) -> None:
    """The same by the records that had been received by the end of each month."""
    e.see("bronze_member_eligibility")
    origin = ("received_month", "source_file", "source_line", "member_id")
    said = [n for n in e.db.view("bronze_member_eligibility").columns if n not in origin]
    content = ", ".join(f"coalesce(cast({c} as varchar), '')" for c in said)
    e.db.execute(f"""
    create or replace temp table records as
    with arrived as (
      select * replace (tidy(member_id) as member_id), hash({content}) as content,
        coalesce(number_of(received_month), month_of(effective_date)) as known from bronze_member_eligibility),
    current as (
      select *, min(known) over (partition by member_id, effective_date
        order by received_month nulls first, source_file, source_line
        rows between 1 following and unbounded following) as until from arrived
      qualify until is null or known < until),
    changed as (
      select *, lag(content) over r as content_before from current
      window r as (partition by member_id, effective_date
        order by received_month nulls first, source_file, source_line)
      qualify content_before is null or content_before <> content),
    versions as (
      select *, lead(known) over r as known_until,
        known > month_of(effective_date)
          or max(death_date) over (partition by member_id, effective_date) is not null as in_hindsight
      from changed window r as (partition by member_id, effective_date
        order by received_month nulls first, source_file, source_line)),
    starts as (
      select member_id, known_first from (select distinct member_id, {e.first} as known_first from versions)
      union
      select member_id, known from versions where in_hindsight and known between {e.first + 1} and {e.last}),
    spans as (
      select *, coalesce(lead(known_first) over (partition by member_id order by known_first) - 1, {e.last})
        as known_last from starts)
    select * from versions join spans using (member_id)
    where known <= known_last and (known_until is null or known_until > known_last)""")
    e.save("silver_member_months_as_known", _described(e))


def _described(e: Engine) -> str:
    """Days, gaps and attributes of the months known_first..known_last, from the table `records`."""
    _words(e)
    until = f"date '{e.wanted.end}'"
    grouped = {
        word: f"""coalesce((select word from labels where vocabulary = '{word}' and label =
          trim(regexp_replace(upper(r.{word}), '[^A-Z0-9]+', ' ', 'g'))), '{unknown}') as {word}"""
        for word, unknown in (("gender", "U"), ("race", "Unknown"), ("ethnicity", "Unknown"))
    }
    texts = ("county", "language", "eligibility_category", "aid_category", "household_id")
    e.db.execute(f"""
    create or replace temp table standing as
    select *, least(case when term_date < date '2100-01-01' then term_date end, died_on) as ends_on
    from (select *, last_value(death_date ignore nulls)
      over (partition by {SPAN} order by effective_date rows {ALL}) as died_on from records)
    where ends_on is null or effective_date <= ends_on""")
    e.db.execute("""create or replace temp table months as
    select m, month_text(m) as claim_month, make_date(m // 12, m % 12 + 1, 1) as first_day, last_day(first_day) as last,
      (first_day - interval 11 months)::date as opens from range(?, ?) t(m)""", [e.first, e.last + 1])  # fmt: skip
    return f"""
    with days as (
      select {SPAN}, effective_date as s, least(coalesce(ends_on, {until}), {until}) as e
      from standing where effective_date <= {until}),
    opened as (
      select *, max(e) over (partition by {SPAN} order by s {BEFORE}) as before from days),
    chained as (
      select *, max(case when before is null or s > before + 1 then s end)
        over (partition by {SPAN} order by s {SO_FAR}) as span_start from opened),
    spans as (select {SPAN}, span_start, max(e) as span_end from chained group by all),
    seen as (
      select *, lag(span_end) over (partition by {SPAN} order by span_start) + 1 as free_from from spans),
    by_month as (
      select *, unnest(range(greatest(month_of(span_start), known_first),
        least(month_of(span_end) + 11, known_last) + 1)) as m from seen),
    in_window as (
      select {SPAN}, m, span_start, last, least(span_end, last) as e, opens as o,
        greatest(e - greatest(span_start, first_day) + 1, 0) as days_of_month,
        e - greatest(span_start, o) + 1 as days_of_year, span_start - greatest(o, free_from) as gap_before,
        case when days_of_month > 0
          then (1::bigint << day(e)) - (1::bigint << (day(greatest(span_start, first_day)) - 1)) end as digits
      from by_month join months using (m)),
    enrolled as (
      select {SPAN}, m, last, sum(days_of_month) as enrolled_days, max(span_start) as enrolled_since,
        sum(digits)::bigint as digits, sum(days_of_year) as enrolled_days_12mo,
        count(*) filter (gap_before > 0) as gaps, max(gap_before) as longest, max(e) as reached
      from in_window group by {SPAN}, m, last having sum(days_of_month) > 0),
    reaching as (
      select {SPAN}, effective_date, coalesce(ends_on, {until}) as e, lead(e) over w as next_e,
        lead(effective_date) over w as next_s
      from standing window w as (partition by {SPAN} order by effective_date)),
    in_force as (
      select {SPAN}, m, max(effective_date) as effective_date from (
        select *, unnest(range(greatest(month_of(effective_date), known_first), least(known_last,
          month_of(case when next_e >= e then least(e, next_s) else e end)) + 1)) as m from reaching)
      group by all),
    people as (
      select {SPAN}, effective_date, died_on, birth_date, {", ".join(grouped.values())},
        regexp_replace(trim(zip_code), '[\\s-]', '', 'g') as digits_of_zip,
        case when regexp_full_match(digits_of_zip, '[0-9]{{5}}([0-9]{{4}})?') then digits_of_zip[1:5]
          when regexp_full_match(digits_of_zip, '[0-9]{{3,4}}') then lpad(digits_of_zip, 5, '0') end as zip_code,
        {", ".join(f"tidy({t}) as {t}" for t in texts)}, dual_eligible, ltss_indicator, smoker, bmi
      from standing r)
    select *, month_text(m) as claim_month, day(last) as days_in_month,
      enrolled_days::double / days_in_month::double as enrolled_share,
      gaps + (last > reached)::int as gap_count_12mo, greatest(longest, last - reached) as longest_gap_days_12mo,
      case when died_on <= last then died_on end as death_date,
      month(last) * 100 + day(last) < month(birth_date) * 100 + day(birth_date) as no_birthday_yet,
      case when birth_date is not null
        then greatest(year(last) - year(birth_date) - no_birthday_yet::int, 0) end as age,
      case when age <= 17 then '0-17' when age <= 44 then '18-44' when age <= 64 then '45-64'
        when age is not null then '65+' end as age_group,
      reverse(lpad(bin(digits), day(last)::int, '0')) as enrolment_by_day,
      gap_count_12mo <= 1 and longest_gap_days_12mo <= 45 as continuously_enrolled_12mo
    from enrolled join in_force using ({SPAN}, m) join people using ({SPAN}, effective_date)"""


def _words(e: Engine) -> None:
    rows = [(v, label, group) for v in DEMOGRAPHICS for label, group in demographic_labels(v).items()]
    e.db.execute("create or replace temp table labels (vocabulary varchar, label varchar, word varchar)")
    e.db.executemany("insert into labels values (?, ?, ?)", rows)


def medical_claims(e: Engine) -> None:
    """Medical lines that stand, with flags and what is doubtful about them."""
    e.see("silver_claim_versions", "silver_member_months", "bronze_member_eligibility", "bronze_diagnosis_codes")
    line, claim = "claim_id, claim_month, claim_line_number", "claim_id, claim_month"
    header = ("member_id", "claim_type", "bill_type_code", "admit_date", "discharge_date", "drg_code")
    e.db.execute(f"""create or replace view standing_lines as
    select *, {INPATIENT} as inpatient_flag, {EMERGENCY} as emergency_flag,
      case when {INPATIENT} then greatest(service_from_date, service_to_date, discharge_date)
        else service_from_date end as coded_on,
      year(coded_on) + (month(coded_on) >= 10)::int as coding_year
    from silver_claim_versions where claim_feed = 'medical' and cancelled_on is null and adjustment_indicator <> '1'""")
    e.db.execute(f"""create or replace temp table doubtful_codes as
    with told as (select distinct coding_year, unnest([{DIAGNOSES}]) as code from standing_lines)
    select coding_year, t.code, is_billable from told t left join bronze_diagnosis_codes l on t.code = l.code
      and l.code_system = case when coding_year < 2016 then 'ICD-9-CM' else 'ICD-10-CM' end
      and coalesce(l.first_fiscal_year, 0) <= coding_year and coalesce(l.last_fiscal_year, 9999) >= coding_year
    where t.code is not null and not coalesce(is_billable, false)""")
    conflicts = ", ".join(f"case when min({n}) <> max({n}) then '{n}' end" for n in header)
    e.save(
        "silver_medical_claims",
        f"""
    with written as (select {line}, coding_year, unnest([{DIAGNOSES}]) as code from standing_lines),
    doubtful as (
      select {line}, count(*) filter (is_billable is null) as unknown, count(is_billable) as headings
      from written join doubtful_codes using (coding_year, code) group by all),
    headers as (
      select {claim}, list_filter([{conflicts}], lambda x: x is not null) as conflicts,
        max(claim_line_number) - min(claim_line_number) + 1 <> count(*) as gap
      from standing_lines group by all having len(conflicts) > 0 or gap),
    {_enrolment()}
    select l.*, {_enrolled("service_from_date")},
      case when inpatient_flag and discharge_date >= admit_date then discharge_date - admit_date end as length_of_stay,
      coalesce(paid_amount > 10000, false) as high_cost_flag,
      {PAID} and coalesce(paid_amount = 0, false) as is_encounter_record,
      year(service_from_date) as claim_year, quarter(service_from_date) as claim_quarter,
      case when coalesce(bill_type_code, drg_code, revenue_code) is not null then 'institutional'
        when place_of_service is not null then 'professional'
        when admit_date is not null then 'institutional' end as claim_form,
      case when coalesce({DIAGNOSES}) is not null then coalesce(unknown, 0) end as unknown_diagnosis_count,
      case when coalesce({DIAGNOSES}) is not null then coalesce(headings, 0) end as heading_diagnosis_count,
      coalesce(conflicts, []) as header_conflicts, coalesce(gap, false) as has_line_gap
    from standing_lines l left join doubtful using ({line}) left join headers using ({claim})
    left join days using (member_id, claim_month) left join known using (member_id)""",
    )


def _enrolment() -> str:
    return """
    days as (select member_id, claim_month, enrolment_by_day from silver_member_months),
    known as (select distinct tidy(member_id) as member_id, true as is_known from bronze_member_eligibility)"""


def _enrolled(day: str) -> str:
    return f"""case when enrolment_by_day[day({day})] = '1' then 'ENROLLED'
      when is_known then 'NOT_ENROLLED' else 'UNKNOWN_MEMBER' end as enrolment"""


def pharmacy_claims(e: Engine) -> None:
    """Fills that stand, with drug flags."""
    e.see("silver_claim_versions", "silver_member_months", "bronze_member_eligibility")
    e.save(
        "silver_pharmacy_claims",
        f"""
    with {_enrolment()}
    select l.*, {_enrolled("fill_date")},
      case when days_supply between 1 and 365 then fill_date + days_supply end as expected_end_date,
      case when generic_indicator in ('G', 'GENERIC', 'Y', 'YES', 'TRUE', '1') then true
        when generic_indicator in ('B', 'BRAND', 'N', 'NO', 'FALSE', '0') then false end as is_generic,
      coalesce(paid_amount > 500, false) as high_cost_rx_flag,
      coalesce(regexp_matches(therapeutic_class, 'OPIOID|BENZODIAZEPINE|STIMULANT'), false) as controlled_substance_flag
    from silver_claim_versions l left join days using (member_id, claim_month) left join known using (member_id)
    where claim_feed = 'pharmacy' and cancelled_on is null and adjustment_indicator <> '1'""",
    )


def _category() -> str:
    """The kind of service of a line: the rules of `silver/service_categories.py` as one CASE."""
    types = ", ".join(f"'{t}'" for t in sc.CLAIM_TYPES)
    bill = f"case when coalesce(claim_type in ({types}), false) then '' else bill_type_code end"

    def like(column: str, pattern: str) -> str:
        return f"regexp_matches({column}, '{pattern}')"

    def among(column: str, values: tuple[str, ...]) -> str:
        return f"{column} in ({', '.join(repr(v) for v in values)})"

    code, revenue, place = "procedure_code_1", "revenue_code", "place_of_service"
    rules = (
        (sc.PHARMACY, "claim_feed = 'pharmacy'", "claim_type = 'RX'"),
        (sc.INPATIENT, INPATIENT, like(bill, sc.INPATIENT_BILLS)),
        (sc.EMERGENCY, EMERGENCY),
        (sc.LONG_TERM_CARE, "claim_type = 'LTC'", like(bill, sc.LONG_TERM_CARE_BILLS)),
        (sc.DENTAL, "claim_type = 'DENTAL'", like(code, sc.DENTAL_CODES)),
        (
            sc.TRANSPORTATION,
            like(code, sc.TRANSPORT_CODES),
            like(revenue, sc.TRANSPORT_REVENUE),
            among(place, sc.TRANSPORT_PLACES),
        ),
        (sc.HOME_AND_COMMUNITY_CARE, like(code, sc.HOME_CARE_CODES), like("bill_type_code", sc.HOME_BILLS)),
        (
            sc.LABORATORY_IMAGING,
            like(code, sc.LABORATORY_IMAGING_CODES),
            like(revenue, sc.LABORATORY_IMAGING_REVENUE),
            f"{place} = '{sc.INDEPENDENT_LABORATORY}'",
        ),
        (sc.EQUIPMENT_AND_SUPPLIES, like(code, sc.EQUIPMENT_CODES)),
        (sc.BEHAVIORAL_HEALTH, like(code, sc.BEHAVIORAL_CODES), among(place, sc.BEHAVIORAL_PLACES)),
        (sc.OUTPATIENT_FACILITY, "claim_type = 'OP'", like(bill, sc.OUTPATIENT_BILLS)),
        (sc.OFFICE_VISIT, like(code, sc.VISIT_CODES)),
        (sc.OTHER_PROFESSIONAL, "claim_type = 'PROF'"),
    )
    cases = " ".join(f"when {' or '.join(conditions)} then '{name}'" for name, *conditions in rules)
    return f"case {cases} else '{sc.OTHER}' end"


def pmpm(e: Engine) -> None:
    """Cost per member and month by category, valued as of every month."""
    e.see("silver_claim_versions", "silver_member_months")
    e.db.execute(f"""create or replace temp table paid_lines as
    select v.member_id, claim_feed, claim_id, service_from_date, service_to_date, admit_date, discharge_date,
      bill_type_code, number_of(claim_month) as served, greatest(served, number_of(known_from)) as known,
      number_of(cancelled_on) as cancelled, (coalesce(paid_amount, 0) * 100)::bigint as cents,
      {_category()} as service_category,
      coalesce(enrolment_by_day[day(service_from_date)] = '1', false) as enrolled
    from silver_claim_versions v
    left join (select member_id, claim_month, enrolment_by_day from silver_member_months) using (member_id, claim_month)
    where {PAID} and adjustment_indicator <> '1' and (cancelled is null or cancelled > known)""")
    visits = _visits()
    facts = e.db.execute(f"""
    with per_claim as (
      select served, service_category, known, cancelled, enrolled, claim_feed, claim_id, sum(cents) as cents,
        count(*) as lines from paid_lines group by all),
    sums as (
      select served, service_category, known, cancelled, enrolled, sum(cents) as cents, sum(lines) as lines,
        count(*) as claims from per_claim group by all),
    moves as (
      select *, known as moved, 1 as sign from sums
      union all select *, cancelled as moved, -1 as sign from sums where cancelled is not null),
    {visits}
    select served as incurred, moved, service_category,
      case when enrolled then sign * cents end as paid, case when enrolled then sign * claims end as claims,
      case when enrolled then sign * lines end as claim_lines,
      case when not enrolled then sign * cents end as paid_outside,
      case when not enrolled then sign * lines end as lines_outside from moves
    union all by name from visit_moves
    union all by name
    select number_of(claim_month) as incurred, incurred as moved, count(*) as members,
      sum(enrolled_days) as enrolled_days from silver_member_months group by all""").df()
    numbers = [*MOVED, *EXPOSED]
    facts[numbers] = facts[numbers].fillna(0).astype("int64")
    e.db.register("valued", valued(facts, e.wanted.numbers))
    e.save(
        "gold_pmpm",
        """select *, month_text(as_of) as claim_month, month_text(incurred) as incurred_month,
      paid_outside::decimal(18,0) * 0.01 as paid_outside_enrolment, lines_outside as claim_lines_outside_enrolment
    from (select * replace (paid::decimal(18,0) * 0.01 as paid, completed_paid::decimal(18,0) * 0.01 as completed_paid)
      from valued)""",
    )
    e.db.execute("drop table paid_lines")


def _visits() -> str:
    """Emergency visits and hospital nights as they begin (+1) and cease (-1) to be known."""
    return f"""
    bills as (
      select distinct member_id, service_category, served, known, cancelled,
        case when admit_date between service_from_date - 365 and service_from_date then admit_date
          else service_from_date end as first_night,
        coalesce(within_a_year(discharge_date, service_from_date), case when regexp_matches(bill_type_code, '[23]$')
          then greatest(within_a_year(service_to_date, service_from_date), service_from_date) + 1 end) - 1 as last_night
      from paid_lines where enrolled and service_category = '{sc.INPATIENT}'),
    told as (
      select member_id, service_category, service_from_date as day, served, known, cancelled
      from paid_lines where enrolled and service_category = '{sc.EMERGENCY}'
      union all
      select member_id, service_category, unnest(generate_series(first_night, last_night, interval 1 day))::date,
        served, known, cancelled from bills where first_night <= last_night),
    spans as (
      select distinct member_id, service_category, day, month_of(day) as incurred,
        greatest(known, month_of(day)) as span_start, least(cancelled - 1, served + {VALUED}) as span_end
      from told where span_start <= span_end),
    apart as (
      select * replace (greatest(span_start, max(span_end)
        over (partition by member_id, service_category, day order by span_start, span_end {BEFORE}) + 1) as span_start)
      from spans),
    counted as (
      select service_category, incurred, span_start, span_end, count(*) as n
      from apart where span_start <= span_end group by all),
    changes as (
      select *, span_start as moved, n as change from counted
      union all select *, span_end + 1, -n from counted),
    visit_moves as (
      select service_category, incurred, moved,
        case when service_category = '{sc.EMERGENCY}' then change end as ed_visits,
        case when service_category = '{sc.INPATIENT}' then change end as inpatient_days from changes)"""


def _counting(e: Engine) -> None:
    """The view `counted`: paid lines, with the as-of months span_start..span_end in which they count."""
    e.db.execute(f"""create or replace view counted as
    select *, number_of(claim_month) as served,
      greatest(served, number_of(known_from), {e.first}) as span_start,
      least(served + {WINDOW - 1}, number_of(cancelled_on) - 1, {e.last}) as span_end
    from silver_claim_versions where {PAID} and adjustment_indicator <> '1' and span_start <= span_end""")


def member_conditions(e: Engine) -> None:
    """Which diagnoses members have, by one inpatient or two outpatient days in twelve months."""
    e.see("silver_claim_versions", "silver_member_months_as_known")
    _counting(e)
    groups = (*CONDITIONS, *comorbidities("charlson"), *comorbidities("elixhauser"))
    bits = " | ".join(_bit(n, g.icd_10_cm, g.icd_9_cm) for n, g in enumerate(groups))
    test = " or ".join(
        f"{{0}} between '{first}' and '{last}'"
        for first, last in (("70010", "77260"), ("77800", "78999"), ("80047", "89398"))
    )
    both = [f"coalesce({test.format(code)}, true)" for code in ("procedure_code_1", "procedure_code_2")]
    e.db.execute(f"""create or replace temp table codes_told as
    select member_id, service_from_date, span_start, span_end, {INPATIENT} as inpatient,
      service_from_date < date '2015-10-01' as is_icd_9, unnest([{DIAGNOSES}]) as code
    from counted where claim_feed = 'medical' and not (coalesce(claim_type in ('PROF', 'OP'), false)
      and coalesce(procedure_code_1, procedure_code_2) is not null and {" and ".join(both)})""")
    e.db.execute(f"""create or replace temp table named as
    select is_icd_9, code, {bits} as groups
    from (select distinct is_icd_9, code from codes_told where code is not null) where groups <> 0""")
    days = ", ".join(
        f"coalesce((bit_or(stayed) >> {n}) & 1, 0) = 1 or coalesce(sum((seen >> {n}) & 1), 0) >= 2 as {g.column}"
        for n, g in enumerate(groups)
    )
    flags = ", ".join(f"coalesce({g.column}, false) as {g.column}" for g in groups)
    chronic = " + ".join(f"{c.column}::int" for c in CONDITIONS if c.is_chronic_condition)
    e.save(
        "gold_member_conditions",
        f"""
    with by_span as (
      select member_id, service_from_date, span_start, span_end, bit_or(groups) filter (inpatient) as stayed,
        bit_or(groups) filter (not inpatient) as seen
      from codes_told join named using (is_icd_9, code) group by all),
    by_day as (
      select member_id, service_from_date, as_of, bit_or(stayed) as stayed, bit_or(seen) as seen
      from (select *, unnest(range(span_start, span_end + 1)) as as_of from by_span) group by all),
    ever as (
      select member_id, as_of, {days} from by_day group by member_id, as_of),
    flagged as (
      select m.member_id, m.claim_month, {flags}
      from silver_member_months_as_known m
      left join ever on m.member_id = ever.member_id and number_of(m.claim_month) = as_of)
    select *, {chronic} as chronic_condition_count, {_score("charlson")} as charlson_index,
      {_score("elixhauser")} as elixhauser_van_walraven_score from flagged""",
    )
    e.db.execute("drop table codes_told")


def _bit(n: int, now: tuple[str, ...], before: tuple[str, ...]) -> str:
    new, old = (f"regexp_matches(code, '^({'|'.join(given)})')".replace("?", ".") for given in (now, before))
    return f"case when case when is_icd_9 then {old} else {new} end then {1 << n}::bigint else 0 end"


def _score(index: str) -> str:
    def counts(x: Comorbidity) -> str:
        return f"{x.column} and not {x.yields_to}" if x.yields_to else x.column

    return " + ".join(f"case when {counts(x)} then {x.weight} else 0 end" for x in comorbidities(index) if x.weight)


USED = (
    "total_paid_12mo", "recent_paid_90d", "total_rx_paid_12mo", "rx_fill_count_12mo", "generic_fill_count",
    "controlled_substance_count", "high_cost_rx_count", "supplies", "supplied_days", "service_days_12mo",
    "er_visit_count_12mo", "recent_er_visits_90d", "unique_provider_count", "unique_drug_count",
    "unique_therapy_class_count", "claim_count_12mo", "recent_claim_count_90d", "max_claim_amount",
    "high_cost_claim_count", "inpatient_admit_count_12mo", "total_inpatient_days", "stays_of_known_length",
)  # fmt: skip
"""Zero for a member without such a line."""


def member_features(e: Engine) -> None:
    """What members used and cost in the twelve months up to each month, with scores."""
    e.see("silver_claim_versions", "silver_member_months_as_known", "gold_member_conditions")
    _counting(e)
    conditions = ", ".join(c.column for c in CONDITIONS)
    used = ", ".join(f"coalesce({n}, 0) as {n}" for n in USED)
    e.save(
        "gold_member_features",
        f"""
    with {_sums()}, {_events()}, {_claims()}, {_stays()},
    used as (
      select m.* exclude (enrolled_days), number_of(m.claim_month) as as_of,
        last_day(make_date(as_of // 12, as_of % 12 + 1, 1)) as last, {used},
        last_medical, last_er, last_fill, last_admission
      from (select *, number_of(claim_month) as as_of from silver_member_months_as_known) m
      left join sums using (member_id, as_of) left join event_counts using (member_id, as_of)
      left join claim_counts using (member_id, as_of) left join stay_counts using (member_id, as_of)),
    counted_up as (
      select *, claim_count_12mo - recent_claim_count_90d as prior_claim_count_275d,
        total_paid_12mo - recent_paid_90d as prior_paid_275d,
        er_visit_count_12mo - recent_er_visits_90d as prior_er_visits_275d
      from used join (select member_id, claim_month, {conditions}, chronic_condition_count, charlson_index,
        elixhauser_van_walraven_score as elixhauser_index from gold_member_conditions) using (member_id, claim_month))
    select *, {_ratio("total_paid_12mo", "claim_count_12mo")} as avg_claim_amount,
      {_ratio("total_rx_paid_12mo", "rx_fill_count_12mo")} as avg_rx_cost,
      {_ratio("supplied_days", "supplies")} as avg_days_supply,
      {_ratio("total_inpatient_days", "stays_of_known_length")} as avg_length_of_stay,
      {_change("recent_claim_count_90d", "prior_claim_count_275d")} as claim_count_trend_pct,
      {_change("recent_paid_90d", "prior_paid_275d")} as cost_trend_pct,
      {_since("last_medical", "medical_claim")}, {_since("last_er", "er_visit")},
      {_since("last_admission", "admission")}, {_since("last_fill", "rx_fill")},
      coalesce(dual_eligible, false) or coalesce(ltss_indicator, false) as high_risk_flag,
      (last - enrolled_since)::double / 365.0::double as eligibility_years,
      age::double * case when smoker then 2.5::double else 1.0::double end as smoking_factor,
      case when age >= 20 and bmi is not null then case when bmi < 18.5::double then 'underweight'
        when bmi < 25::double then 'normal' when bmi < 30::double then 'overweight' else 'obese' end end
        as bmi_category,
      case when age < 25 then 1 when age < 35 then 2 when age < 50 then 3 when age < 65 then 4
        when age is not null then 5 end as actuarial_age_risk,
      case when age < 1 then 3 when age < 5 then 2 when age >= 75 then 3 when age >= 65 then 2 else 1 end
        as age_risk_score,
      least(chronic_condition_count, 3) as chronic_condition_risk_score,
      case when er_visit_count_12mo >= 4 or inpatient_admit_count_12mo >= 2 then 3
        when er_visit_count_12mo >= 2 or inpatient_admit_count_12mo >= 1 then 2
        when er_visit_count_12mo >= 1 then 1 else 0 end as utilization_risk_score,
      case when total_paid_12mo >= 50000 then 3 when total_paid_12mo >= 25000 then 2
        when total_paid_12mo >= 10000 then 1 else 0 end as cost_risk_score,
      age_risk_score + chronic_condition_risk_score + utilization_risk_score + cost_risk_score as composite_risk_score,
      case when composite_risk_score >= 9 then 'High' when composite_risk_score >= 6 then 'Medium'
        when composite_risk_score >= 3 then 'Low' else 'Very Low' end as risk_tier
    from counted_up""",
    )


def _sums() -> str:
    """What adds up over lines, first by member, month of service and span, then by as-of month."""
    fill = "claim_feed = 'pharmacy'"
    supplied = f"{fill} and days_supply between 1 and 365"
    return f"""
    by_span as (
      select member_id, served, span_start, span_end,
        sum(coalesce(paid_amount, 0)) filter (claim_feed = 'medical') as paid,
        sum(coalesce(paid_amount, 0)) filter ({fill}) as rx_paid, count(*) filter ({fill}) as fills,
        count(*) filter ({fill} and generic_indicator in ('G', 'GENERIC', 'Y', 'YES', 'TRUE', '1')) as generic,
        count(*) filter ({fill} and regexp_matches(therapeutic_class, 'OPIOID|BENZODIAZEPINE|STIMULANT')) as controlled,
        count(*) filter ({fill} and paid_amount > 500) as high_cost, count(*) filter ({supplied}) as supplies,
        sum(days_supply) filter ({supplied}) as supplied_days,
        max(service_from_date) filter (claim_feed = 'medical') as last_medical,
        max(service_from_date) filter ({EMERGENCY}) as last_er,
        max(service_from_date) filter ({fill}) as last_fill
      from counted group by all),
    sums as (
      select member_id, as_of, sum(paid) as total_paid_12mo,
        sum(paid) filter (as_of - served < {RECENT}) as recent_paid_90d, sum(rx_paid) as total_rx_paid_12mo,
        sum(fills) as rx_fill_count_12mo, sum(generic) as generic_fill_count,
        sum(controlled) as controlled_substance_count, sum(high_cost) as high_cost_rx_count,
        sum(supplies) as supplies, sum(supplied_days) as supplied_days, max(last_medical) as last_medical,
        max(last_er) as last_er, max(last_fill) as last_fill
      from (select *, unnest(range(span_start, span_end + 1)) as as_of from by_span) group by all)"""


def _events() -> str:
    """Days of service, visits, providers, drugs and classes: each counted once a member and as-of month."""
    kinds = {
        "service_days_12mo": ("claim_feed = 'medical'", "cast(service_from_date as varchar)", "span_end"),
        "er_visit_count_12mo": (EMERGENCY, "cast(service_from_date as varchar)", "span_end"),
        "recent_er_visits_90d": (
            EMERGENCY,
            "cast(service_from_date as varchar)",
            f"least(span_end, served + {RECENT - 1})",
        ),
        "unique_provider_count": ("claim_feed = 'medical'", "provider_id", "span_end"),
        "unique_drug_count": ("claim_feed = 'pharmacy'", "ndc_code", "span_end"),
        "unique_therapy_class_count": ("claim_feed = 'pharmacy'", "therapeutic_class", "span_end"),
    }
    told = " union all ".join(
        f"select distinct member_id, '{kind}' as kind, {event} as event, span_start, {last} as last_month"
        f" from counted where {condition} and {event} is not null"
        for kind, (condition, event, last) in kinds.items()
    )
    counts = ", ".join(f"sum(n) filter (kind = '{kind}') as {kind}" for kind in kinds)
    return f"""
    told as ({told}),
    apart as (
      select member_id, kind, last_month, greatest(span_start, max(last_month)
        over (partition by member_id, kind, event order by span_start, last_month {BEFORE}) + 1) as first_month
      from told where span_start <= last_month),
    event_counts as (
      select member_id, as_of, {counts}
      from (select *, unnest(range(first_month, last_month + 1)) as as_of
        from (select member_id, kind, first_month, last_month, count(*) as n from apart
          where first_month <= last_month group by all)) group by member_id, as_of)"""


def _claims() -> str:
    return f"""
    claim_spans as (
      select member_id, claim_id, span_start, span_end, sum(coalesce(paid_amount, 0)) as paid, max(served) as served
      from counted where claim_feed = 'medical' group by all),
    per_claim as (
      select member_id, claim_id, as_of, sum(paid) as paid, max(served) as served
      from (select *, unnest(range(span_start, span_end + 1)) as as_of from claim_spans) group by all),
    claim_counts as (
      select member_id, as_of, count(*) as claim_count_12mo,
        count(*) filter (as_of - served < {RECENT}) as recent_claim_count_90d, max(paid) as max_claim_amount,
        count(*) filter (paid > 10000) as high_cost_claim_count from per_claim group by all)"""


def _stays() -> str:
    return f"""
    stay_spans as (
      select member_id, coalesce(admit_date, service_from_date) as admitted, span_start, span_end,
        max(discharge_date) as discharged from counted where {INPATIENT} group by all),
    per_stay as (
      select member_id, admitted, as_of, max(discharged) as discharged,
        case when max(discharged) >= admitted then max(discharged) - admitted end as days
      from (select *, unnest(range(span_start, span_end + 1)) as as_of from stay_spans)
      group by member_id, admitted, as_of),
    stay_counts as (
      select member_id, as_of, count(*) as inpatient_admit_count_12mo, sum(days) as total_inpatient_days,
        count(days) as stays_of_known_length, max(admitted) as last_admission from per_stay group by all)"""


def _ratio(total: str, number: str) -> str:
    return f"case when {number} > 0 then {total}::double / {number}::double else 0 end"


def _change(recent: str, prior: str) -> str:
    change = f"""case when {prior} > 0 then ({recent}::double * 3 - {prior}::double) / {prior}::double
      when {recent} > 0 then 10 else 0 end"""
    return f"least(greatest({change}, -1), 10)"


def _since(last: str, event: str) -> str:
    days = f"coalesce(greatest(least(last - {last}, 366), 0), 366)"
    return f"{days} as days_since_last_{event}, {last} is null as never_{event}"


TABLES: dict[str, Callable[[Engine], None]] = {
    "silver_claim_versions": claim_versions,
    "silver_member_months": member_months,
    "silver_member_months_as_known": member_months_as_known,
    "silver_medical_claims": medical_claims,
    "silver_pharmacy_claims": pharmacy_claims,
    "gold_pmpm": pmpm,
    "gold_member_conditions": member_conditions,
    "gold_member_features": member_features,
}
"""In the order in which each finds its inputs."""


if __name__ == "__main__":
    run(Engine, TABLES)
