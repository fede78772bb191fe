"""A second opinion on final action: DuckDB over the landing files as they lie there, from the definitions alone.

Nothing here imports the package. The SQL is written from the words of the landing contract and of the tables'
docstrings, in other steps than the transforms take, so that a mistake would have to be made twice.

A reversal is understood in both ways in which payers write it: by indicator (1, naming its claim, under an id of its
own or under the same one), and by a second line of the same claim and line number with the negative of its amount.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEDICAL_TEXT = (
    "claim_id", "claim_line_number", "member_id", "claim_date", "service_from_date", "service_to_date",
    "admit_date", "discharge_date", "paid_date", "provider_id", "adjustment_indicator", "original_claim_id",
    "claim_type", "claim_status", "procedure_code_1", "procedure_code_2", "revenue_code", "bill_type_code",
    "place_of_service", "billed_amount", "allowed_amount", "paid_amount", "member_liability",
)  # fmt: skip

OWN_LAYOUT = """
create view medical_text as select {columns} from medical_files;
create view fill_text as
    select claim_id, member_id, fill_date, paid_date, adjustment_indicator, original_claim_id, claim_status,
        paid_amount, allowed_amount, member_copay
    from read_csv('{landing}/pharmacy_claims/*.csv', all_varchar = true, union_by_name = true, ignore_errors = true);
create view span_text as
    select member_id, effective_date, term_date, death_date, filename
    from read_csv('{landing}/member_eligibility/*.csv',
        all_varchar = true, union_by_name = true, ignore_errors = true, filename = true);
"""
"""Landing contract v1 under its own names; `ignore_errors` leaves out lines with too few or too many fields."""

FOREIGN_LAYOUT = """
create view medical_text as
    select CLM_ID as claim_id, '1' as claim_line_number, BENE_ID as member_id,
        {NCH_WKLY_PROC_DT} as claim_date, {CLM_FROM_DT} as service_from_date, {CLM_THRU_DT} as service_to_date,
        {CLM_ADMSN_DT} as admit_date, {NCH_BENE_DSCHRG_DT} as discharge_date, null as paid_date,
        AT_PHYSN_NPI as provider_id, '0' as adjustment_indicator, null as original_claim_id,
        case NCH_CLM_TYPE_CD when '60' then 'IP' when '40' then 'OP' when '71' then 'PROF' when '20' then 'LTC' end
            as claim_type,
        'PAID' as claim_status, HCPCS_CD_1 as procedure_code_1, HCPCS_CD_2 as procedure_code_2, null as revenue_code,
        null as bill_type_code, null as place_of_service, null as billed_amount, null as allowed_amount,
        CLM_PMT_AMT as paid_amount, null as member_liability
    from read_csv('{landing}/medical_claims/*.csv', all_varchar = true);
create view fill_text as
    select PDE_ID as claim_id, BENE_ID as member_id, {SRVC_DT} as fill_date, null as paid_date,
        '0' as adjustment_indicator, null as original_claim_id, 'PAID' as claim_status, TOT_RX_CST_AMT as paid_amount,
        null as allowed_amount, PTNT_PAY_AMT as member_copay
    from read_csv('{landing}/pharmacy_claims/*.csv', all_varchar = true);
create view span_text as
    select BENE_ID as member_id, {CVRG_BGN_DT} as effective_date, {CVRG_END_DT} as term_date,
        {BENE_DEATH_DT} as death_date, filename
    from read_csv('{landing}/member_eligibility/*.csv', all_varchar = true, filename = true);
"""
COMPACT_DATES = (
    "NCH_WKLY_PROC_DT", "CLM_FROM_DT", "CLM_THRU_DT", "CLM_ADMSN_DT", "NCH_BENE_DSCHRG_DT", "SRVC_DT",
    "CVRG_BGN_DT", "CVRG_END_DT", "BENE_DEATH_DT",
)  # fmt: skip
"""Columns of the foreign layout that hold YYYYMMDD."""

FINAL_ACTION = """
create macro day(t) as try_cast(trim(t) as date);
create macro money(t) as try_cast(trim(t) as decimal(12, 2));
create macro garbled(t) as coalesce(trim(t), '') <> '' and money(t) is null;
create macro word(t) as nullif(upper(trim(t)), '');

create table landed as
    select 'medical' as feed, trim(claim_id) as claim_id, try_cast(claim_line_number as integer) as line,
        nullif(trim(member_id), '') as member_id, day(service_from_date) as served, day(service_to_date) as until,
        day(admit_date) as admitted, day(discharge_date) as discharged, day(paid_date) as paid_on,
        nullif(trim(provider_id), '') as provider_id, trim(adjustment_indicator) as indicator,
        nullif(trim(original_claim_id), '') as names, word(claim_type) as claim_type, word(claim_status) as status,
        money(paid_amount) as paid, word(bill_type_code) as bill, word(revenue_code) as revenue,
        lpad(word(place_of_service), 2, '0') as place, word(procedure_code_1) as did, word(procedure_code_2) as did_2,
        day(claim_date) as dated, dated is not null and not (garbled(billed_amount) or garbled(allowed_amount)
            or garbled(paid_amount) or garbled(member_liability)) as is_readable
    from medical_text
    union all by name
    select 'pharmacy' as feed, trim(claim_id) as claim_id, 1 as line, nullif(trim(member_id), '') as member_id,
        day(fill_date) as served, day(paid_date) as paid_on, trim(adjustment_indicator) as indicator,
        nullif(trim(original_claim_id), '') as names, word(claim_status) as status, money(paid_amount) as paid,
        not (garbled(paid_amount) or garbled(allowed_amount) or garbled(member_copay)) as is_readable
    from fill_text;
update landed set indicator = '0' where indicator is null or indicator not in ('1', '4');

-- A chain follows the names that claims give, up to one that names no other; nothing is older than what it names.
create table chain as
    with recursive claims as (
        select feed, claim_id, min(names) filter (names <> claim_id) as parent,
            max(paid_on) filter (indicator = '0' or names <> claim_id) as paid_on
        from landed group by feed, claim_id),
    walked as (
        select feed, claim_id, claim_id as root, 0 as depth, paid_on as day from claims c
        where parent is null
            or not exists (select 1 from claims p where p.feed = c.feed and p.claim_id = c.parent)
        union all
        select c.feed, c.claim_id, w.root, w.depth + 1, greatest(c.paid_on, w.day)
        from claims c join walked w on c.feed = w.feed and c.parent = w.claim_id)
    select * from walked;

-- The last version of a chain stands, unless it takes the claim back.
create table standing as
    with versions as (
        select feed, claim_id, indicator, max(paid_on) as paid_on, bool_or(names <> claim_id) as names_another
        from landed group by all),
    placed as (
        select v.feed, v.claim_id, v.indicator, row_number() over (
            partition by feed, root
            order by greatest(v.paid_on, day) desc nulls last,
                depth + (v.indicator <> '0' and v.names_another is not true)::integer desc, v.indicator desc,
                v.claim_id desc) as position
        from versions v join chain using (feed, claim_id))
    select feed, claim_id, indicator from placed where position = 1 and indicator <> '1';

create table final_lines as
    with usable as (
        select distinct on (feed, claim_id, line, indicator, served, dated, paid_on, paid)
            *, strftime(served, '%Y-%m') as claim_month
        from landed semi join standing using (feed, claim_id, indicator)
        where is_readable and claim_id <> '' and line >= 1 and member_id is not null
            and strftime(served, '%Y-%m') between '{first}' and '{last}'),
    counted as (
        select *, row_number() over (
                partition by feed, claim_id, line, indicator, paid order by paid_on desc, dated desc) as from_last,
            count(*) over (partition by feed, claim_id, line, indicator, paid) as times,
            (select count(*) from usable o
                where o.feed = u.feed and o.claim_id = u.claim_id and o.line = u.line and o.indicator = u.indicator
                    and o.paid = -u.paid and u.paid <> 0) as times_negated
        from usable u),
    unreversed as (select * from counted where from_last <= times - times_negated)
    -- A line sent again, as it was or corrected under the old number: the one paid last.
    select distinct on (feed, claim_id, line, claim_month) * from unreversed order by paid_on desc nulls last;
"""

EVENTS = """
create table enrolled as
    with records as (
        -- Files are named by the month in which they came; a later record of the same first day replaces the earlier.
        select trim(member_id) as member_id, day(effective_date) as starts,
            arg_max_null(day(term_date), filename) as ends
        from span_text where day(effective_date) is not null group by all),
    deaths as (select trim(member_id) as member_id, max(day(death_date)) as died from span_text group by all)
    select member_id, starts, least(coalesce(ends, date '2200-01-01'), coalesce(died, date '2200-01-01')) as ends
    from records join deaths using (member_id);
create view judged as
    select *, case
        when exists (select 1 from enrolled e where e.member_id = l.member_id and l.served between e.starts and e.ends)
            then 'ENROLLED'
        when l.member_id in (select trim(member_id) from span_text) then 'NOT_ENROLLED'
        else 'UNKNOWN_MEMBER' end as enrolment
    from final_lines l;

create view used as select * from final_lines where coalesce(status, 'PAID') = 'PAID' and feed = 'medical';

create table visits as
    with lines as (
        select *, claim_type is not distinct from 'PROF'
                or (claim_type is distinct from 'ER' and bill is null and revenue is null) as is_professional
        from used
        where claim_type is distinct from 'IP' and (claim_type = 'ER' or revenue between '0450' and '0459'
            or revenue = '0981' or place = '23' or did between '99281' and '99285'
            or did_2 between '99281' and '99285')),
    facilities as (
        select member_id, served, min(provider_id) as facility from lines where not is_professional group by all)
    select distinct claim_month, member_id, served,
        coalesce(case when not is_professional then provider_id end, facility) as facility
    from lines left join facilities using (member_id, served);

-- Bills whose admission is not after the day that follows the last day covered so far go on with the stay.
create table stays as
    with bills as (
        select member_id, claim_id, claim_month, min(coalesce(admitted, served)) as starts, min(served) as first_served,
            max(greatest(served, until, discharged)) as ends,
            max(coalesce(discharged, case when right(bill, 1) in ('2', '3') then until + 1 end)) as leaves
        from used where claim_type = 'IP' group by all),
    opened as (
        select *, coalesce(starts > 1 + max(ends) over (
            partition by member_id order by starts, claim_month, claim_id
            rows between unbounded preceding and 1 preceding), true) as opens
        from bills),
    numbered as (
        select *, sum(opens::integer) over (partition by member_id order by starts, claim_month, claim_id) as stay
        from opened)
    select member_id, stay, min(claim_month) as claim_month,
        (max(leaves) - min(starts)) as nights, max(ends) as ends, max(leaves) as leaves, count(*) as bills
    from numbered group by member_id, stay;
"""


@contextmanager
def raw_counts(landing: Path, first: str, last: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with `final_lines`, `judged`, `visits` and `stays` of a landing folder, claim months first..last."""
    with duckdb.connect() as db:
        if list(landing.glob("medical_claims/*.avro")):
            db.register("medical_files", _avro_lines(sorted(landing.glob("medical_claims/*.avro")), MEDICAL_TEXT))
            db.execute(OWN_LAYOUT.format(landing=landing, columns=", ".join(MEDICAL_TEXT)))
        else:
            iso = {n: f"strftime(try_strptime({n}, '%Y%m%d'), '%Y-%m-%d')" for n in COMPACT_DATES}
            db.execute(FOREIGN_LAYOUT.format(landing=landing, **iso))
        db.execute(FINAL_ACTION.replace("{first}", first).replace("{last}", last))
        db.execute(EVENTS)
        yield db


def _avro_lines(files: Sequence[Path], columns: Sequence[str]):
    """Records of Avro files as one Arrow table of text."""
    import fastavro
    import pyarrow as pa

    schema = pa.schema([(name, pa.string()) for name in columns])
    batches = []
    for path in files:
        with path.open("rb") as file:
            records = list(fastavro.reader(file))
        batches.append(pa.Table.from_pylist(records, schema=schema))
    return pa.concat_tables(batches)
