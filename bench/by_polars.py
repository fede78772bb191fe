"""The tables of the benchmark as one would write them by hand in Polars: lazy frames, run by its streaming engine.

The same as `by_duckdb.py` says of itself: one function a table, from the Delta files of the tables before it, without
contracts, quarantine and checks; code lists and the two rules in plain Python are those of the package.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from pathlib import Path

import polars as pl
from polars import col, lit, when

from bench.wanted import Wanted, run
from claims_assets.features.comorbidities import Comorbidity, comorbidities
from claims_assets.features.conditions import CONDITIONS
from claims_assets.features.valuation import EXPOSED, MOVED, valued
from claims_assets.silver import service_categories as sc
from claims_assets.silver.line_versions import GIVEN, KEY, settled
from claims_assets.sources.code_sets import demographic_labels

DIAGNOSES = [f"diagnosis_code_{n}" for n in range(1, 13)]
ARRIVAL = ("known_from", "received_month", "source_file", "source_line")
CONTROLLED = "OPIOID|BENZODIAZEPINE|STIMULANT"
GENERIC, BRAND = ("G", "GENERIC", "Y", "YES", "TRUE", "1"), ("B", "BRAND", "N", "NO", "FALSE", "0")
SPAN = ["member_id", "known_first", "known_last"]
KINDS = {
    "varchar": pl.String,
    "integer": pl.Int32,
    "int": pl.Int32,
    "bigint": pl.Int64,
    "double": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "varchar[]": pl.List(pl.String),
}
WINDOW, RECENT, VALUED = 12, 3, 24


class Engine:
    """The lake it reads and the one it writes, and the months asked for."""

    def __init__(self, lake: Path, out: Path, wanted: Wanted, memory: int):
        """`memory` is not used: Polars has no limit to set."""
        self.lake, self.out, self.wanted = lake, out, wanted
        self.first, self.last = wanted.numbers[0], wanted.numbers[-1]
        pl.Config.set_engine_affinity("streaming")

    def see(self, name: str) -> pl.LazyFrame:
        """A table named <schema>_<table>."""
        schema, _, table = name.partition("_")
        return pl.scan_delta(str((self.lake if schema == "bronze" else self.out) / schema / table))

    def save(self, name: str, frame: pl.LazyFrame) -> None:
        """Commit the rows, in the columns and types that are asked for."""
        schema, _, table = name.partition("_")
        typed = frame.select(col(n).cast(_kind(kind)) for n, kind in self.wanted.duckdb[name].items())
        options = {"partition_by": ["claim_month"]}
        typed.sink_delta(str(self.out / schema / table), mode="overwrite", delta_write_options=options)


def _kind(name: str) -> pl.DataType | type[pl.DataType]:
    if name.startswith("decimal"):
        precision, scale = name[8:-1].split(",")
        return pl.Decimal(int(precision), int(scale))
    return KINDS[name]


def _tidy(x: pl.Expr) -> pl.Expr:
    clean = x.str.strip_chars(" ")
    return when(clean != "").then(clean)


def _coded(x: pl.Expr) -> pl.Expr:
    return _tidy(x.str.to_uppercase())


def _padded(x: pl.Expr, width: int) -> pl.Expr:
    return x.str.pad_start(width, "0")


def _ndc(x: pl.Expr) -> pl.Expr:
    written = x.str.strip_chars(" ")
    parts = [
        written.str.split("-").list.get(n, null_on_oob=True).str.pad_start(w, "0") for n, w in enumerate((5, 4, 2))
    ]
    bare = x.str.replace_all("[^0-9]", "")
    dashed = written.str.contains("^[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}$")
    return when(dashed).then(pl.concat_str(parts)).when(bare != "").then(bare)


def _stated() -> pl.Expr:
    return pl.coalesce(when(col("paid_amount") != 0).then("paid_amount"), "allowed_amount", "paid_amount")


def _acting() -> pl.Expr:
    """Void, replacement or original, also told by a negative amount that names another claim."""
    given, claim = col("adjustment_indicator").str.strip_chars(" "), col("original_claim_id").str.strip_chars(" ")
    written = when(given.is_in(["1", "4"])).then(given).otherwise(lit("0"))
    named = when((claim != "") & ~claim.str.contains("^0+$")).then(claim)
    takes_back = (_stated() < 0) | (col("claim_status").str.strip_chars(" ").str.to_uppercase() == "REVERSED")
    voids = (written == "0") & (named != col("claim_id").str.strip_chars(" ")) & takes_back
    return when(voids).then(lit("1")).otherwise(written)


def _number(month: str) -> pl.Expr:
    return col(month).str.slice(0, 4).cast(pl.Int32) * 12 + col(month).str.slice(5, 2).cast(pl.Int32) - 1


def _month_of(day: pl.Expr) -> pl.Expr:
    return day.dt.year() * 12 + day.dt.month().cast(pl.Int32) - 1


def _month_text(number: pl.Expr) -> pl.Expr:
    year, month = (number // 12).cast(pl.String).str.zfill(4), (number % 12 + 1).cast(pl.String).str.zfill(2)
    return pl.concat_str(year, month, separator="-")


def _first_day(number: pl.Expr) -> pl.Expr:
    return pl.date(number // 12, number % 12 + 1, 1)


def _is_paid() -> pl.Expr:
    return col("claim_status").fill_null("PAID") == "PAID"


def _is_inpatient() -> pl.Expr:
    return (col("claim_type") == "IP").fill_null(False)


def _is_emergency() -> pl.Expr:
    revenue, visits = col("revenue_code"), [f"9928{n}" for n in range(1, 6)]
    told = [
        col("claim_type") == "ER",
        revenue.is_between(lit("0450"), lit("0459")) | (revenue == "0981"),
        col("procedure_code_1").is_in(visits),
        col("procedure_code_2").is_in(visits),
        col("place_of_service") == "23",
    ]
    return pl.any_horizontal(x.fill_null(False) for x in told)


def _days(later: pl.Expr, earlier: pl.Expr) -> pl.Expr:
    return (later - earlier).dt.total_days()


def claim_versions(e: Engine) -> None:
    """Both feeds with clean codes, and when each line stopped counting."""
    ids = {n: _tidy(col(n)) for n in ("claim_id", "member_id", "original_claim_id")}
    both = ids | {"adjustment_indicator": _acting(), "claim_status": _coded(col("claim_status"))}
    both["ndc_code"] = _ndc(col("ndc_code"))
    diagnoses = {n: col(n).str.to_uppercase().str.replace_all("[. ]", "") for n in DIAGNOSES}
    drg, bill = _coded(col("drg_code")), _coded(col("bill_type_code"))
    medical = e.see("bronze_medical_claims").with_columns(
        lit("medical").alias("claim_feed"),
        **both,
        **{n: when(x != "").then(x) for n, x in diagnoses.items()},
        **{
            n: _coded(col(n))
            for n in ("claim_type", *(f"procedure_{k}_{i}" for k in ("code", "modifier") for i in "12"))
        },
        provider_id=_tidy(col("provider_id")),
        revenue_code=_padded(_coded(col("revenue_code")), 4),
        place_of_service=_padded(_coded(col("place_of_service")), 2),
        bill_type_code=when(bill.str.len_chars() == 3).then(lit("0") + bill).otherwise(bill),
        drg_code=when(drg.str.contains("^[0-9]{1,2}$")).then(_padded(drg, 3)).otherwise(drg),
    )
    day = col("fill_date")
    pharmacy = e.see("bronze_pharmacy_claims").with_columns(
        lit("pharmacy").alias("claim_feed"),
        **both,
        **{n: _tidy(col(n)) for n in ("pharmacy_id", "prescriber_id")},
        **{n: _coded(col(n)) for n in ("generic_indicator", "therapeutic_class")},
        **dict.fromkeys(("claim_date", "service_from_date", "service_to_date"), day),
        claim_line_number=lit(1, pl.Int32),
        claim_type=lit("RX"),
        provider_id=_tidy(col("prescriber_id")),
    )
    lines = pl.concat([medical, pharmacy], how="diagonal")
    links = e.see("bronze_claim_links").select(
        "claim_feed", "claim_id", "adjustment_indicator", "root_claim_id", "cancelled_on", "cancelled_by", "chain_state"
    )
    line_first = (col("line_cancelled_on") < col("cancelled_on")).fill_null(col("line_cancelled_on").is_not_null())
    linked = (
        lines.join(links, ["claim_feed", "claim_id", "adjustment_indicator"], how="left")
        .join(_settled(lines), ["claim_feed", "source_file", "source_line"], how="left")
        .with_columns(
            root_claim_id=col("root_claim_id").fill_null(col("claim_id")),
            version_number=col("version_number").fill_null(1),
            known_from=col("counts_from").fill_null(col("known_from")),
            cancelled_on=when(line_first).then("line_cancelled_on").otherwise("cancelled_on"),
            cancelled_by=when(line_first).then("claim_id").otherwise("cancelled_by"),
        )
    )
    state, indicator = col("chain_state"), col("adjustment_indicator")
    aside = [
        col("reason").is_not_null(),
        (state == "chain_has_a_cycle").fill_null(False),
        (indicator == "1") & (state == "original_is_unknown").fill_null(False),
        (indicator != "0") & state.is_null(),
    ]
    e.save("silver_claim_versions", linked.filter(~pl.any_horizontal(aside)))


def _settled(lines: pl.LazyFrame) -> pl.LazyFrame:
    """What lines of the same number say about each other."""
    more = lines.group_by(KEY).len().filter(col("len") > 1).select(KEY)
    said = sorted(set(lines.collect_schema().names()) - set(ARRIVAL))
    handed = lines.join(more, list(KEY), how="semi").with_columns(
        amount=_stated(), content=pl.concat_str([col(n).cast(pl.String).fill_null("") for n in said], separator="|")
    )
    texts = [col(n).cast(pl.String) for n in dict.fromkeys([*KEY, *GIVEN])]
    return pl.from_pandas(settled(handed.select(*texts, "source_line").collect().to_pandas())).lazy()


def member_months(e: Engine) -> None:
    """Enrolment and attributes of each month, by all records."""
    newest = _records(e).sort(
        "received_month", "source_file", "source_line", descending=True, nulls_last=True
    ).unique(["member_id", "effective_date"], keep="first", maintain_order=True)  # fmt: skip
    records = newest.with_columns(known_first=lit(e.first), known_last=lit(e.last))
    e.save("silver_member_months", _described(e, records))


def _records(e: Engine) -> pl.LazyFrame:
    return e.see("bronze_member_eligibility").with_columns(member_id=_tidy(col("member_id")))


def member_months_as_known(e: Engine) -> None:
    """The same by the records that had been received by the end of each month."""
    record = ["member_id", "effective_date"]
    received = col("received_month").str.slice(0, 4).cast(pl.Int32) * 12
    received += col("received_month").str.slice(5, 2).cast(pl.Int32) - 1
    said = [n for n in _records(e).collect_schema().names() if n not in (*ARRIVAL, "member_id")]
    versions = (
        _records(e)
        .sort("received_month", "source_file", "source_line", nulls_last=False)
        .with_columns(
            known=pl.coalesce(received, _month_of(col("effective_date"))),
            content=pl.struct(said).hash(),
        )
        .with_columns(until=col("known").reverse().cum_min().shift(1).reverse().over(record))
        .filter(col("until").is_null() | (col("known") < col("until")))
        .with_columns(before=col("content").shift(1).over(record))
        .filter(col("before").is_null() | (col("before") != col("content")))
        .with_columns(
            known_until=col("known").shift(-1).over(record),
            in_hindsight=(col("known") > _month_of(col("effective_date")))
            | col("death_date").max().over(record).is_not_null(),
        )
        .drop("until", "before", "content")
    ).collect()
    begun = versions.filter(col("in_hindsight") & col("known").is_between(e.first + 1, e.last))
    starts = pl.concat(
        [
            versions.select("member_id", known_first=lit(e.first, pl.Int32)),
            begun.select("member_id", col("known").alias("known_first")),
        ]
    ).unique()
    spans = starts.with_columns(
        known_last=(col("known_first").shift(-1).over("member_id", order_by="known_first") - 1).fill_null(e.last)
    )
    stands = col("known_until").is_null() | (col("known_until") > col("known_last"))
    known = versions.lazy().join(spans.lazy(), "member_id").filter((col("known") <= col("known_last")) & stands)
    e.save("silver_member_months_as_known", _described(e, known))


def _described(e: Engine, records: pl.LazyFrame) -> pl.LazyFrame:
    """Days, gaps and attributes of the months known_first..known_last."""
    until = lit(e.wanted.end).str.to_date()
    ends = when(col("term_date") < pl.date(2100, 1, 1)).then("term_date")
    died = col("death_date").drop_nulls().last().over(SPAN, order_by="effective_date")
    standing = (
        records.with_columns(died_on=died)
        .with_columns(ends_on=pl.min_horizontal(ends, "died_on"))
        .filter(col("ends_on").is_null() | (col("effective_date") <= col("ends_on")))
        .collect()
        .lazy()
    )
    last = _first_day(col("m")).dt.month_end()
    birth, days = col("birth_date"), last.dt.day()
    had_no_birthday = (
        last.dt.month().cast(pl.Int32) * 100 + last.dt.day() < birth.dt.month().cast(pl.Int32) * 100 + birth.dt.day()
    )
    years = pl.max_horizontal(last.dt.year() - birth.dt.year() - had_no_birthday.cast(pl.Int32), lit(0))
    age = when(birth.is_not_null()).then(years)
    rows = (
        _enrolled(standing, until)
        .join(_in_force(standing, until), [*SPAN, "m"])
        .join(_people(standing), [*SPAN, "effective_date"])
        .with_columns(age=age, days_in_month=days.cast(pl.Int32), gap_after=_days(last, col("reached")))
    )
    gaps = col("gaps") + (col("gap_after") > 0)
    longest = pl.max_horizontal("longest", "gap_after")
    group = when(col("age") <= 17).then(lit("0-17")).when(col("age") <= 44).then(lit("18-44"))
    return rows.with_columns(
        claim_month=_month_text(col("m")),
        enrolled_share=col("enrolled_days").cast(pl.Float64) / col("days_in_month"),
        death_date=when(col("died_on") <= last).then("died_on"),
        age_group=group.when(col("age") <= 64).then(lit("45-64")).when(col("age").is_not_null()).then(lit("65+")),
        enrolment_by_day=pl.concat_str(
            when((col("digits") & (1 << n)) != 0).then(lit("1")).otherwise(lit("0")) for n in range(31)
        ).str.head(col("days_in_month")),
        gap_count_12mo=gaps,
        longest_gap_days_12mo=longest,
        continuously_enrolled_12mo=(gaps <= 1) & (longest <= 45),
    )


def _enrolled(standing: pl.LazyFrame, until: pl.Expr) -> pl.LazyFrame:
    """Days and gaps of each month with an enrolled day."""
    opens_at = col("s") > col("before") + pl.duration(days=1)
    spans = (
        standing.filter(col("effective_date") <= until)
        .select(*SPAN, s="effective_date", e=pl.min_horizontal(col("ends_on").fill_null(until), until))
        .with_columns(before=col("e").cum_max().shift(1).over(SPAN, order_by="s"))
        .with_columns(span_start=when(col("before").is_null() | opens_at).then("s"))
        .with_columns(col("span_start").forward_fill().over(SPAN, order_by="s"))
        .group_by(*SPAN, "span_start")
        .agg(span_end=col("e").max())
        .with_columns(free_from=col("span_end").shift(1).over(SPAN, order_by="span_start") + pl.duration(days=1))
    )
    first = pl.max_horizontal(_month_of(col("span_start")), "known_first")
    final = pl.min_horizontal(_month_of(col("span_end")) + 11, "known_last")
    day_one = _first_day(col("m"))
    opens, closes = day_one.dt.offset_by("-11mo"), day_one.dt.month_end()
    start, end = pl.max_horizontal("span_start", opens), pl.min_horizontal("span_end", closes)
    in_month = pl.max_horizontal("span_start", day_one)
    days = pl.max_horizontal(_days(end, in_month) + 1, lit(0))
    bits = lit(2).pow(end.dt.day()).cast(pl.Int64) - lit(2).pow(in_month.dt.day() - 1).cast(pl.Int64)
    return (
        spans.filter(first <= final)
        .with_columns(m=pl.int_ranges(first, final + 1, dtype=pl.Int32))
        .explode("m")
        .select(
            *SPAN,
            "m",
            "span_start",
            end.alias("end"),
            days.alias("days_of_month"),
            (_days(end, start) + 1).alias("days_of_year"),
            _days(start, pl.max_horizontal(opens, "free_from")).alias("gap_before"),
            when(days > 0).then(bits).alias("digits"),
        )
        .group_by(*SPAN, "m")
        .agg(
            enrolled_days=col("days_of_month").sum(),
            enrolled_since=col("span_start").max(),
            digits=col("digits").sum(),
            enrolled_days_12mo=col("days_of_year").sum(),
            gaps=(col("gap_before") > 0).sum(),
            longest=col("gap_before").max(),
            reached=col("end").max(),
        )
        .filter(col("enrolled_days") > 0)
    )


def _in_force(standing: pl.LazyFrame, until: pl.Expr) -> pl.LazyFrame:
    """The effective date of the latest record that is in force in each month."""
    end, following = col("ends_on").fill_null(until), pl.min_horizontal("e", "next_s")
    reach = when(col("next_e") >= col("e")).then(following).otherwise("e")
    first = pl.max_horizontal(_month_of(col("effective_date")), "known_first")
    final = pl.min_horizontal(_month_of(reach), "known_last")
    return (
        standing.select(*SPAN, "effective_date", e=end)
        .with_columns(
            next_e=col("e").shift(-1).over(SPAN, order_by="effective_date"),
            next_s=col("effective_date").shift(-1).over(SPAN, order_by="effective_date"),
        )
        .filter(first <= final)
        .with_columns(m=pl.int_ranges(first, final + 1, dtype=pl.Int32))
        .explode("m")
        .group_by(*SPAN, "m")
        .agg(effective_date=col("effective_date").max())
    )


def _people(standing: pl.LazyFrame) -> pl.LazyFrame:
    """Attributes in common words."""
    zip_code = col("zip_code").str.strip_chars(" ").str.replace_all(r"[\s-]", "")
    long, short = zip_code.str.contains("^[0-9]{5}([0-9]{4})?$"), zip_code.str.contains("^[0-9]{3,4}$")
    words = {
        name: col(name).str.to_uppercase().str.replace_all("[^A-Z0-9]+", " ").str.strip_chars(" ")
        .replace_strict(demographic_labels(name), default=unknown).fill_null(unknown)
        for name, unknown in (("gender", "U"), ("race", "Unknown"), ("ethnicity", "Unknown"))
    }  # fmt: skip
    texts = ("county", "language", "eligibility_category", "aid_category", "household_id")
    return standing.select(
        *SPAN,
        "effective_date",
        "died_on",
        "birth_date",
        "dual_eligible",
        "ltss_indicator",
        "smoker",
        "bmi",
        zip_code=when(long).then(zip_code.str.head(5)).when(short).then(zip_code.str.pad_start(5, "0")),
        **words,
        **{name: _tidy(col(name)) for name in texts},
    )


def _with_enrolment(e: Engine, lines: pl.LazyFrame, day: str) -> pl.LazyFrame:
    """Whether the member was enrolled on the day of each line."""
    days = e.see("silver_member_months").select("member_id", "claim_month", "enrolment_by_day")
    known = _records(e).select("member_id", is_known=lit(True)).unique()
    return (
        lines.join(days, ["member_id", "claim_month"], how="left")
        .join(known, "member_id", how="left")
        .with_columns(
            enrolment=when(_on(day)).then(lit("ENROLLED")).when("is_known").then(lit("NOT_ENROLLED"))
            .otherwise(lit("UNKNOWN_MEMBER"))
        )
    )  # fmt: skip


def _on(day: str) -> pl.Expr:
    number = col(day).dt.day().cast(pl.Int64) - 1
    return (col("enrolment_by_day").str.slice(number, 1) == "1").fill_null(False) & number.is_not_null()


def medical_claims(e: Engine) -> None:
    """Medical lines that stand, with flags and what is doubtful about them."""
    standing = e.see("silver_claim_versions").filter(
        col("claim_feed") == "medical", col("cancelled_on").is_null(), col("adjustment_indicator") != "1"
    )
    last = pl.max_horizontal("service_from_date", "service_to_date", "discharge_date")
    day = when(_is_inpatient()).then(last).otherwise("service_from_date")
    line, claim = ["claim_id", "claim_month", "claim_line_number"], ["claim_id", "claim_month"]
    written = (
        standing.with_columns(coding_year=day.dt.year() + (day.dt.month() >= 10).cast(pl.Int32))
        .select(*line, "coding_year", code=pl.concat_list(DIAGNOSES).list.drop_nulls())
        .explode("code")
        .filter(col("code").is_not_null())
    )
    counts = (
        written.join(_doubtful_codes(e, written), ["coding_year", "code"])
        .group_by(line)
        .agg(unknown=col("is_billable").is_null().sum(), headings=col("is_billable").is_not_null().sum())
    )
    stay = _days(col("discharge_date"), col("admit_date"))
    has_diagnosis = pl.any_horizontal(col(n).is_not_null() for n in DIAGNOSES)
    form = when(pl.any_horizontal(col(n).is_not_null() for n in ("bill_type_code", "drg_code", "revenue_code")))
    flagged = (
        standing.join(counts, line, how="left")
        .join(_headers(standing, claim), claim, how="left")
        .with_columns(
            inpatient_flag=_is_inpatient(),
            emergency_flag=_is_emergency(),
            length_of_stay=when(_is_inpatient() & (stay >= 0)).then(stay),
            high_cost_flag=(col("paid_amount") > 10000).fill_null(False),
            is_encounter_record=_is_paid() & (col("paid_amount") == 0).fill_null(False),
            claim_year=col("service_from_date").dt.year(),
            claim_quarter=col("service_from_date").dt.quarter(),
            claim_form=form.then(lit("institutional"))
            .when(col("place_of_service").is_not_null())
            .then(lit("professional"))
            .when(col("admit_date").is_not_null())
            .then(lit("institutional")),
            unknown_diagnosis_count=when(has_diagnosis).then(col("unknown").fill_null(0)),
            heading_diagnosis_count=when(has_diagnosis).then(col("headings").fill_null(0)),
            header_conflicts=col("conflicts").fill_null(pl.lit([], dtype=pl.List(pl.String))),
            has_line_gap=col("gap").fill_null(False),
        )
    )
    e.save("silver_medical_claims", _with_enrolment(e, flagged, "service_from_date"))


def _doubtful_codes(e: Engine, written: pl.LazyFrame) -> pl.LazyFrame:
    """Codes that no list names in a year, or only as a heading."""
    told = written.select("coding_year", "code").unique().with_columns(
        code_system=when(col("coding_year") < 2016).then(lit("ICD-9-CM")).otherwise(lit("ICD-10-CM"))
    )  # fmt: skip
    first, last = col("first_fiscal_year").fill_null(0), col("last_fiscal_year").fill_null(9999)
    in_force = (
        told.join(e.see("bronze_diagnosis_codes"), ["code_system", "code"])
        .filter(col("coding_year").is_between(first, last))
        .select("coding_year", "code", "is_billable")
    )
    return (
        told.join(in_force, ["coding_year", "code"], how="left")
        .filter(~col("is_billable").fill_null(False))
        .select("coding_year", "code", "is_billable")
    )


def _headers(standing: pl.LazyFrame, claim: list[str]) -> pl.LazyFrame:
    """Claims whose lines disagree, or lack one between them."""
    header = ("member_id", "claim_type", "bill_type_code", "admit_date", "discharge_date", "drg_code")
    number = col("claim_line_number")
    return (
        standing.group_by(claim)
        .agg(
            *[(col(n).min() != col(n).max()).alias(f"_{n}") for n in header],
            gap=number.max() - number.min() + 1 != pl.len(),
        )
        .filter(pl.any_horizontal([f"_{n}" for n in header]).fill_null(False) | col("gap"))
        .select(*claim, "gap", conflicts=pl.concat_list(when(f"_{n}").then(lit(n)) for n in header).list.drop_nulls())
    )


def pharmacy_claims(e: Engine) -> None:
    """Fills that stand, with drug flags."""
    given = col("generic_indicator")
    fills = (
        e.see("silver_claim_versions")
        .filter(col("claim_feed") == "pharmacy", col("cancelled_on").is_null(), col("adjustment_indicator") != "1")
        .with_columns(
            expected_end_date=when(col("days_supply").is_between(1, 365)).then(
                col("fill_date") + pl.duration(days="days_supply")
            ),
            is_generic=when(given.is_in(GENERIC)).then(lit(True)).when(given.is_in(BRAND)).then(lit(False)),
            high_cost_rx_flag=(col("paid_amount") > 500).fill_null(False),
            controlled_substance_flag=col("therapeutic_class").str.contains(CONTROLLED).fill_null(False),
        )
    )
    e.save("silver_pharmacy_claims", _with_enrolment(e, fills, "fill_date"))


def _category() -> pl.Expr:
    """The kind of service of a line, by the first rule that fits."""
    kind, code, place = col("claim_type"), col("procedure_code_1"), col("place_of_service")
    bill = when(kind.is_in(sc.CLAIM_TYPES).fill_null(False)).then(lit("")).otherwise("bill_type_code")
    revenue = col("revenue_code")
    rules = (
        (sc.PHARMACY, (col("claim_feed") == "pharmacy") | (kind == "RX")),
        (sc.INPATIENT, _is_inpatient() | bill.str.contains(sc.INPATIENT_BILLS)),
        (sc.EMERGENCY, _is_emergency()),
        (sc.LONG_TERM_CARE, (kind == "LTC") | bill.str.contains(sc.LONG_TERM_CARE_BILLS)),
        (sc.DENTAL, (kind == "DENTAL") | code.str.contains(sc.DENTAL_CODES)),
        (
            sc.TRANSPORTATION,
            code.str.contains(sc.TRANSPORT_CODES)
            | revenue.str.contains(sc.TRANSPORT_REVENUE)
            | place.is_in(sc.TRANSPORT_PLACES),
        ),
        (
            sc.HOME_AND_COMMUNITY_CARE,
            code.str.contains(sc.HOME_CARE_CODES) | col("bill_type_code").str.contains(sc.HOME_BILLS),
        ),
        (
            sc.LABORATORY_IMAGING,
            code.str.contains(sc.LABORATORY_IMAGING_CODES)
            | revenue.str.contains(sc.LABORATORY_IMAGING_REVENUE)
            | (place == sc.INDEPENDENT_LABORATORY),
        ),
        (sc.EQUIPMENT_AND_SUPPLIES, code.str.contains(sc.EQUIPMENT_CODES)),
        (sc.BEHAVIORAL_HEALTH, code.str.contains(sc.BEHAVIORAL_CODES) | place.is_in(sc.BEHAVIORAL_PLACES)),
        (sc.OUTPATIENT_FACILITY, (kind == "OP") | bill.str.contains(sc.OUTPATIENT_BILLS)),
        (sc.OFFICE_VISIT, code.str.contains(sc.VISIT_CODES)),
        (sc.OTHER_PROFESSIONAL, kind == "PROF"),
    )
    return pl.coalesce(*[when(condition).then(lit(name)) for name, condition in rules], lit(sc.OTHER))


def pmpm(e: Engine) -> None:
    """Cost per member and month by category, valued as of every month."""
    days = e.see("silver_member_months").select("member_id", "claim_month", "enrolment_by_day")
    lines = (
        e.see("silver_claim_versions")
        .filter(_is_paid(), col("adjustment_indicator") != "1")
        .with_columns(served=_number("claim_month"), cancelled=_number("cancelled_on"), service_category=_category())
        .with_columns(known=pl.max_horizontal("served", _number("known_from")))
        .filter(col("cancelled").is_null() | (col("cancelled") > col("known")))
        .join(days, ["member_id", "claim_month"], how="left")
        .select(
            *("member_id", "claim_feed", "claim_id", "service_from_date", "service_to_date", "admit_date"),
            *("discharge_date", "bill_type_code", "served", "known", "cancelled", "service_category"),
            enrolled=_on("service_from_date"),
            cents=(col("paid_amount").fill_null(0) * 100).cast(pl.Int64),
        )
        .collect()
        .lazy()
    )
    exposed = (
        e.see("silver_member_months")
        .group_by("claim_month")
        .agg(members=pl.len().cast(pl.Int64), enrolled_days=col("enrolled_days").cast(pl.Int64).sum())
        .select(
            incurred=_number("claim_month"),
            moved=_number("claim_month"),
            members="members",
            enrolled_days="enrolled_days",
        )
    )
    facts = pl.concat([_payments(lines), _visits(lines.filter("enrolled")), exposed], how="diagonal").with_columns(
        col(n).fill_null(0).cast(pl.Int64) for n in (*MOVED, *EXPOSED)
    )
    found = pl.from_pandas(valued(facts.collect().to_pandas(), e.wanted.numbers)).lazy()
    named = found.with_columns(
        claim_month=_month_text(col("as_of")),
        incurred_month=_month_text(col("incurred")),
        claim_lines_outside_enrolment="lines_outside",
        **{new: _dollars(old) for new, old in (("paid", "paid"), ("completed_paid", "completed_paid"))},
        paid_outside_enrolment=_dollars("paid_outside"),
    )
    e.save("gold_pmpm", named)


def _dollars(cents: str) -> pl.Expr:
    return col(cents).cast(pl.Decimal(18, 2)) / 100


def _payments(lines: pl.LazyFrame) -> pl.LazyFrame:
    """What was paid (+) and taken back (-) by month of service, category and month."""
    by = ["served", "service_category", "known", "cancelled", "enrolled"]
    sums = (
        lines.group_by(*by, "claim_feed", "claim_id")
        .agg(cents=col("cents").sum(), lines=pl.len().cast(pl.Int64))
        .group_by(by)
        .agg(cents=col("cents").sum(), lines=col("lines").sum(), claims=pl.len().cast(pl.Int64))
    )
    known = sums.with_columns(moved="known", sign=lit(1))
    cancelled = sums.filter(col("cancelled").is_not_null()).with_columns(moved="cancelled", sign=lit(-1))
    inside, sign = col("enrolled"), col("sign")
    return pl.concat([known, cancelled]).select(
        "moved",
        "service_category",
        incurred="served",
        paid=when(inside).then(sign * col("cents")),
        claims=when(inside).then(sign * col("claims")),
        claim_lines=when(inside).then(sign * col("lines")),
        paid_outside=when(~inside).then(sign * col("cents")),
        lines_outside=when(~inside).then(sign * col("lines")),
    )


def _visits(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Emergency visits and hospital nights as they begin (+1) and cease (-1) to be known."""
    event = ["member_id", "service_category", "day"]
    told = pl.concat([_emergency_days(lines), _nights(lines)])
    spans = (
        told.with_columns(incurred=_month_of(col("day")))
        .select(
            *event,
            "incurred",
            first=pl.max_horizontal("known", "incurred"),
            last=pl.min_horizontal(col("cancelled") - 1, col("served") + VALUED),
        )
        .filter(col("first") <= col("last"))
    )
    counted = (
        _apart(spans, [*event, "incurred"])
        .group_by("service_category", "incurred", "first", "last")
        .agg(n=pl.len().cast(pl.Int64))
    )
    begun = counted.with_columns(moved="first", change="n")
    ceased = counted.with_columns(moved=col("last") + 1, change=-col("n"))
    category = col("service_category")
    return pl.concat([begun, ceased]).select(
        "service_category",
        "incurred",
        "moved",
        ed_visits=when(category == sc.EMERGENCY).then("change"),
        inpatient_days=when(category == sc.INPATIENT).then("change"),
    )


def _emergency_days(lines: pl.LazyFrame) -> pl.LazyFrame:
    columns = ["member_id", "service_category", "served", "known", "cancelled"]
    visiting = lines.filter(col("service_category") == sc.EMERGENCY)
    return visiting.select(*columns, day=col("service_from_date"))


def _nights(lines: pl.LazyFrame) -> pl.LazyFrame:
    first, admit, year = col("service_from_date"), col("admit_date"), pl.duration(days=365)
    start = when(admit.is_between(first - year, first)).then(admit).otherwise(first)

    def within(name: str) -> pl.Expr:
        return when(col(name).is_between(first - year, first + year)).then(name)

    goes_on = when(col("bill_type_code").str.contains("[23]$")).then(
        pl.max_horizontal(within("service_to_date"), first) + pl.duration(days=1)
    )
    end = pl.coalesce(within("discharge_date"), goes_on)
    columns = ["member_id", "service_category", "served", "known", "cancelled"]
    return (
        lines.filter(col("service_category") == sc.INPATIENT)
        .select(*columns, start=start, end=end)
        .filter(col("start") < col("end"))
        .unique()
        .with_columns(day=pl.date_ranges("start", "end", closed="left"))
        .explode("day")
        .select(*columns, "day")
    )


def _apart(spans: pl.LazyFrame, event: Sequence[str]) -> pl.LazyFrame:
    """The same months of every event, each month in one span only."""
    covered = col("last").cum_max().shift(1).over(event, order_by=["first", "last"])
    return (
        spans.unique()
        .with_columns(first=pl.max_horizontal("first", covered + 1))
        .filter(col("first") <= col("last"))
    )  # fmt: skip


def _counting(e: Engine) -> pl.LazyFrame:
    """Paid lines, with the as-of months first..last in which they count."""
    served = _number("claim_month")
    return (
        e.see("silver_claim_versions")
        .filter(_is_paid(), col("adjustment_indicator") != "1")
        .with_columns(
            served=served,
            first=pl.max_horizontal(served, _number("known_from"), lit(e.first)),
            last=pl.min_horizontal(served + WINDOW - 1, _number("cancelled_on") - 1, lit(e.last)),
        )
        .filter(col("first") <= col("last"))
    )


def _spread(spans: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each month of every span."""
    months = pl.int_ranges("first", col("last") + 1, dtype=pl.Int32)
    return spans.with_columns(as_of=months).drop("first", "last").explode("as_of")


def member_conditions(e: Engine) -> None:
    """Which diagnoses members have, by one inpatient or two outpatient days in twelve months."""
    groups = (*CONDITIONS, *comorbidities("charlson"), *comorbidities("elixhauser"))
    told = (
        _counting(e)
        .filter(col("claim_feed") == "medical", ~_is_test_only())
        .select(
            *("member_id", "service_from_date", "first", "last"),
            inpatient=_is_inpatient(),
            is_icd_9=col("service_from_date") < pl.date(2015, 10, 1),
            code=pl.concat_list(DIAGNOSES).list.drop_nulls(),
        )
        .explode("code")
        .filter(col("code").is_not_null())
    )
    codes = told.select("is_icd_9", "code").unique().collect().lazy()
    bits = [_bit(n, g.icd_10_cm, g.icd_9_cm) for n, g in enumerate(groups)]
    named = codes.select("is_icd_9", "code", groups=pl.sum_horizontal(bits)).filter(col("groups") != 0)
    by_day = (
        _spread(
            told.join(named, ["is_icd_9", "code"])
            .group_by("member_id", "service_from_date", "first", "last")
            .agg(
                stayed=col("groups").filter(col("inpatient")).bitwise_or(),
                seen=col("groups").filter(~col("inpatient")).bitwise_or(),
            )
        )
        .group_by("member_id", "as_of", "service_from_date")
        .agg(col("stayed").bitwise_or(), col("seen").bitwise_or())
    )
    enough = {
        g.column: ((col("stayed") & (1 << n)) != 0).any() | (((col("seen") & (1 << n)) != 0).sum() >= 2)
        for n, g in enumerate(groups)
    }
    ever = by_day.with_columns(col("stayed", "seen").fill_null(0)).group_by("member_id", "as_of").agg(**enough)
    chronic = pl.sum_horizontal(col(c.column).cast(pl.Int64) for c in CONDITIONS if c.is_chronic_condition)
    members = e.see("silver_member_months_as_known").select("member_id", "claim_month", as_of=_number("claim_month"))
    flagged = members.join(ever, ["member_id", "as_of"], how="left").with_columns(
        col(g.column).fill_null(False) for g in groups
    )
    scored = flagged.with_columns(
        chronic_condition_count=chronic,
        charlson_index=_score("charlson"),
        elixhauser_van_walraven_score=_score("elixhauser"),
    )
    e.save("gold_member_conditions", scored)


def _is_test_only() -> pl.Expr:
    ranges = (("70010", "77260"), ("77800", "78999"), ("80047", "89398"))
    codes = [col("procedure_code_1"), col("procedure_code_2")]
    tests = [reduce(or_, [x.is_between(lit(a), lit(b)) for a, b in ranges]).fill_null(True) for x in codes]
    billed = codes[0].is_not_null() | codes[1].is_not_null()
    return col("claim_type").is_in(["PROF", "OP"]).fill_null(False) & billed & tests[0] & tests[1]


def _bit(n: int, now: tuple[str, ...], before: tuple[str, ...]) -> pl.Expr:
    new, old = (col("code").str.contains(f"^({'|'.join(given)})".replace("?", ".")) for given in (now, before))
    named = when("is_icd_9").then(old).otherwise(new)
    return when(named).then(lit(1 << n, pl.Int64)).otherwise(lit(0, pl.Int64))


def _score(index: str) -> pl.Expr:
    def counts(x: Comorbidity) -> pl.Expr:
        return col(x.column) & ~col(x.yields_to) if x.yields_to else col(x.column)

    return pl.sum_horizontal(counts(x).cast(pl.Int32) * x.weight for x in comorbidities(index) if x.weight)


def member_features(e: Engine) -> None:
    """What members used and cost in the twelve months up to each month, with scores."""
    key = ["member_id", "as_of"]
    members = e.see("silver_member_months_as_known").with_columns(as_of=_number("claim_month"))
    for part in (_sums(_counting(e)), _events(_counting(e)), _claims(_counting(e)), _stays(_counting(e))):
        members = members.join(part, key, how="left")
    last_days = {
        "medical_claim": "last_medical",
        "er_visit": "last_er",
        "admission": "last_admission",
        "rx_fill": "last_fill",
    }
    names = [n for n, kind in members.collect_schema().items() if n in USED]
    conditions = e.see("gold_member_conditions").select(
        "member_id",
        "claim_month",
        *[c.column for c in CONDITIONS],
        "chronic_condition_count",
        "charlson_index",
        elixhauser_index="elixhauser_van_walraven_score",
    )
    end = _first_day(col("as_of")).dt.month_end()
    since = {f"days_since_last_{n}": _days(end, col(day)).clip(0, 366).fill_null(366) for n, day in last_days.items()}
    never = {f"never_{n}": col(day).is_null() for n, day in last_days.items()}
    rows = (
        members.with_columns(col(n).fill_null(0) for n in names)
        .join(conditions, ["member_id", "claim_month"])
        .with_columns(
            prior_claim_count_275d=col("claim_count_12mo") - col("recent_claim_count_90d"),
            prior_paid_275d=col("total_paid_12mo") - col("recent_paid_90d"),
            prior_er_visits_275d=col("er_visit_count_12mo") - col("recent_er_visits_90d"),
            avg_claim_amount=_ratio("total_paid_12mo", "claim_count_12mo"),
            avg_rx_cost=_ratio("total_rx_paid_12mo", "rx_fill_count_12mo"),
            avg_days_supply=_ratio("supplied_days", "supplies"),
            avg_length_of_stay=_ratio("total_inpatient_days", "stays_of_known_length"),
            **since,
            **never,
            eligibility_years=_days(end, col("enrolled_since")).cast(pl.Float64) / 365.0,
        )
        .with_columns(
            claim_count_trend_pct=_change("recent_claim_count_90d", "prior_claim_count_275d"),
            cost_trend_pct=_change("recent_paid_90d", "prior_paid_275d"),
        )
    )
    e.save("gold_member_features", _scored(rows))


USED = (
    "total_paid_12mo", "recent_paid_90d", "total_rx_paid_12mo", "rx_fill_count_12mo", "generic_fill_count",
    "controlled_substance_count", "high_cost_rx_count", "supplies", "supplied_days", "service_days_12mo",
    "er_visit_count_12mo", "recent_er_visits_90d", "unique_provider_count", "unique_drug_count",
    "unique_therapy_class_count", "claim_count_12mo", "recent_claim_count_90d", "max_claim_amount",
    "high_cost_claim_count", "inpatient_admit_count_12mo", "total_inpatient_days", "stays_of_known_length",
)  # fmt: skip
"""Zero for a member without such a line."""


def _scored(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Classes and scores of a row."""
    age, bmi, paid = col("age"), col("bmi"), col("total_paid_12mo").cast(pl.Float64)
    visits, stays = col("er_visit_count_12mo"), col("inpatient_admit_count_12mo")
    category = when(bmi < 18.5).then(lit("underweight")).when(bmi < 25).then(lit("normal"))
    category = category.when(bmi < 30).then(lit("overweight")).otherwise(lit("obese"))
    actuarial = when(age < 25).then(1).when(age < 35).then(2).when(age < 50).then(3).when(age < 65).then(4)
    scores = {
        "age_risk_score": when(age < 1).then(3).when(age < 5).then(2).when(age >= 75).then(3).when(age >= 65).then(2)
        .otherwise(1),
        "chronic_condition_risk_score": col("chronic_condition_count").clip(0, 3),
        "utilization_risk_score": when((visits >= 4) | (stays >= 2)).then(3).when((visits >= 2) | (stays >= 1)).then(2)
        .when(visits >= 1).then(1).otherwise(0),
        "cost_risk_score": when(paid >= 50000).then(3).when(paid >= 25000).then(2).when(paid >= 10000).then(1)
        .otherwise(0),
    }  # fmt: skip
    total = col("composite_risk_score")
    return (
        rows.with_columns(
            high_risk_flag=col("dual_eligible").fill_null(False) | col("ltss_indicator").fill_null(False),
            smoking_factor=age.cast(pl.Float64) * when("smoker").then(2.5).otherwise(1.0),
            bmi_category=when((age >= 20) & bmi.is_not_null()).then(category),
            actuarial_age_risk=actuarial.when(age.is_not_null()).then(5),
            **scores,
        )
        .with_columns(composite_risk_score=pl.sum_horizontal(list(scores)))
        .with_columns(
            risk_tier=when(total >= 9).then(lit("High")).when(total >= 6).then(lit("Medium"))
            .when(total >= 3).then(lit("Low")).otherwise(lit("Very Low"))
        )
    )  # fmt: skip


def _sums(counted: pl.LazyFrame) -> pl.LazyFrame:
    """What adds up over lines, first by member, month of service and span, then by as-of month."""
    medical, fill = col("claim_feed") == "medical", col("claim_feed") == "pharmacy"
    paid, day = col("paid_amount").fill_null(0), col("service_from_date")
    supplied = fill & col("days_supply").is_between(1, 365)
    counts = {
        "fills": fill,
        "generic": fill & col("generic_indicator").is_in(GENERIC),
        "controlled": fill & col("therapeutic_class").str.contains(CONTROLLED),
        "high_cost": fill & (paid > 500),
        "supplies": supplied,
    }
    by_span = counted.group_by("member_id", "served", "first", "last").agg(
        paid=when(medical).then(paid).sum(),
        rx_paid=when(fill).then(paid).sum(),
        **{n: condition.fill_null(False).cast(pl.Int64).sum() for n, condition in counts.items()},
        supplied_days=when(supplied).then("days_supply").cast(pl.Int64).sum(),
        last_medical=when(medical).then(day).max(),
        last_er=when(_is_emergency()).then(day).max(),
        last_fill=when(fill).then(day).max(),
    )
    recent = col("as_of") - col("served") < RECENT
    return _spread(by_span).group_by("member_id", "as_of").agg(
        total_paid_12mo=col("paid").sum(),
        recent_paid_90d=when(recent).then("paid").sum(),
        total_rx_paid_12mo=col("rx_paid").sum(),
        rx_fill_count_12mo=col("fills").sum(),
        generic_fill_count=col("generic").sum(),
        controlled_substance_count=col("controlled").sum(),
        high_cost_rx_count=col("high_cost").sum(),
        supplies=col("supplies").sum(),
        supplied_days=col("supplied_days").sum(),
        last_medical=col("last_medical").max(),
        last_er=col("last_er").max(),
        last_fill=col("last_fill").max(),
    )  # fmt: skip


def _events(counted: pl.LazyFrame) -> pl.LazyFrame:
    """Days of service, visits, providers, drugs and classes: each counted once a member and as-of month."""
    medical, fill = col("claim_feed") == "medical", col("claim_feed") == "pharmacy"
    day, last = col("service_from_date").cast(pl.String), col("last")
    kinds = {
        "service_days_12mo": (medical, day, last),
        "er_visit_count_12mo": (_is_emergency(), day, last),
        "recent_er_visits_90d": (_is_emergency(), day, pl.min_horizontal("last", col("served") + RECENT - 1)),
        "unique_provider_count": (medical, col("provider_id"), last),
        "unique_drug_count": (fill, col("ndc_code"), last),
        "unique_therapy_class_count": (fill, col("therapeutic_class"), last),
    }
    counts = []
    for kind, (condition, event, final) in kinds.items():
        told = counted.filter(condition & event.is_not_null()).select("member_id", "first", event=event, last=final)
        apart = _apart(told.filter(col("first") <= col("last")), ["member_id", "event"])
        counts.append(
            apart.group_by("member_id", "first", "last").agg(n=pl.len().cast(pl.Int64)).with_columns(kind=lit(kind))
        )
    spread = _spread(pl.concat(counts))
    return spread.group_by("member_id", "as_of").agg(
        when(col("kind") == kind).then("n").sum().alias(kind) for kind in kinds
    )


def _claims(counted: pl.LazyFrame) -> pl.LazyFrame:
    per_span = counted.filter(col("claim_feed") == "medical").group_by("member_id", "claim_id", "first", "last").agg(
        paid=col("paid_amount").fill_null(0).sum(), served=col("served").max()
    )  # fmt: skip
    per_claim = _spread(per_span).group_by("member_id", "as_of", "claim_id").agg(col("paid").sum(), col("served").max())
    return per_claim.group_by("member_id", "as_of").agg(
        claim_count_12mo=pl.len().cast(pl.Int64),
        recent_claim_count_90d=(col("as_of") - col("served") < RECENT).cast(pl.Int64).sum(),
        max_claim_amount=col("paid").max(),
        high_cost_claim_count=(col("paid") > 10000).cast(pl.Int64).sum(),
    )


def _stays(counted: pl.LazyFrame) -> pl.LazyFrame:
    per_span = (
        counted.filter(_is_inpatient())
        .with_columns(admitted=pl.coalesce("admit_date", "service_from_date"))
        .group_by("member_id", "admitted", "first", "last")
        .agg(discharged=col("discharge_date").max())
    )
    per_stay = _spread(per_span).group_by("member_id", "as_of", "admitted").agg(col("discharged").max())
    days = when(col("discharged") >= col("admitted")).then(_days(col("discharged"), col("admitted")))
    return per_stay.with_columns(days=days).group_by("member_id", "as_of").agg(
        inpatient_admit_count_12mo=pl.len().cast(pl.Int64),
        total_inpatient_days=col("days").sum(),
        stays_of_known_length=col("days").count().cast(pl.Int64),
        last_admission=col("admitted").max(),
    )  # fmt: skip


def _ratio(total: str, number: str) -> pl.Expr:
    return when(col(number) > 0).then(col(total).cast(pl.Float64) / col(number)).otherwise(0.0)


def _change(recent: str, prior: str) -> pl.Expr:
    now, before = col(recent).cast(pl.Float64) * 3, col(prior).cast(pl.Float64)
    return when(before > 0).then((now - before) / before).when(now > 0).then(10.0).otherwise(0.0).clip(-1, 10)


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


if __name__ == "__main__":
    run(Engine, TABLES)
