"""Code sets that ship with the package: vaccines, places of service, diagnoses, and words for who a member is.

Each set is a CSV in `code_sets/` beside this file, so a new code or label is a new line there and no code. Every line
names its source; the long list of diagnosis codes, which is compressed, names it at its top (docs/code_sets.md).
Elsewhere: what a code means for a table (`silver/immunizations.py`, `silver/demographics.py`), the diagnosis codes as
a table of the lake (`bronze/diagnosis_codes.py`), codes of which only the shape is judged (bronze contracts).
"""

import csv
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

VACCINES = (
    "influenza",
    "td_tdap",
    "zoster",
    "pneumococcal",
    "hepatitis_b",
    "hpv",
    "mmr",
    "varicella",
    "rsv",
    "covid_19",
    "dtap",
    "polio",
    "hib",
    "hepatitis_a",
    "rotavirus",
)
CODE_SYSTEMS = ("CVX", "CPT", "HCPCS", "NDC")
DEMOGRAPHICS = ("gender", "race", "ethnicity")
TRUTH = {"true": True, "false": False}
ICD_9_CM, ICD_10_CM = DIAGNOSIS_SYSTEMS = ("ICD-9-CM", "ICD-10-CM")
ICD_10_CM_FISCAL_YEAR = 2016
"""First fiscal year of ICD-10-CM, from 2015-10-01 on (45 CFR 162.1002); before it ICD-9-CM held."""


@dataclass(frozen=True)
class VaccineCode:
    """One code that is evidence of a vaccine; a combined vaccine has one entry for each vaccine in it."""

    vaccine: str
    code_system: str
    code: str
    """CVX in at least two digits, NDC in eleven, as in the normalised claims."""
    product: str
    """Our own short label; for a code that stands for no one product, the vaccine and the word unspecified."""
    administration_only: bool
    """The code says that a dose was given, not which: weaker evidence."""
    source: str
    verified: bool
    """False where the code is not yet confirmed against a published text."""


@cache
def vaccine_codes() -> tuple[VaccineCode, ...]:
    """All vaccine codes.

    Raises:
        ValueError: a line has an unknown vaccine, code system or truth value, or repeats a code; it is named.
    """
    codes = []
    for line, row in rows_of("vaccine_codes.csv"):
        where = f"code_sets/vaccine_codes.csv line {line}"
        _one_of(row["vaccine"], VACCINES, f"{where}: vaccine")
        _one_of(row["code_system"], CODE_SYSTEMS, f"{where}: code_system")
        for name in ("administration_only", "verified"):
            _one_of(row[name], tuple(TRUTH), f"{where}: {name}")
        truths = {name: TRUTH[row[name]] for name in ("administration_only", "verified")}
        codes.append(VaccineCode(**{**row, **truths}))
    keys = [(c.vaccine, c.code_system, c.code) for c in codes]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ValueError(f"code_sets/vaccine_codes.csv: {' '.join(repeated[0])} is there twice: remove one line.")
    return tuple(codes)


@cache
def place_of_service_codes() -> tuple[str, ...]:
    """The two-digit codes that CMS has assigned; unassigned numbers are not there.

    Raises:
        ValueError: a line repeats a code, or has an unknown truth value.
    """
    codes: list[str] = []
    for line, row in rows_of("place_of_service_codes.csv"):
        where = f"code_sets/place_of_service_codes.csv line {line}"
        _one_of(row["verified"], tuple(TRUTH), f"{where}: verified")
        if row["code"] in codes:
            raise ValueError(f"{where}: {row['code']} is there twice: remove one line.")
        codes.append(row["code"])
    return tuple(codes)


HOSPICE_KINDS = ("revenue", "bill_type", "procedure", "place_of_service")
"""What a code of hospice care is; a type of bill by its first three characters, the leading zero included."""


@cache
def hospice_codes(kind: str) -> tuple[str, ...]:
    """The codes of one of HOSPICE_KINDS that bill hospice care.

    Raises:
        ValueError: a line has an unknown kind or truth value, or repeats a code; it is named.
    """
    _one_of(kind, HOSPICE_KINDS, "kind")
    codes: list[str] = []
    for line, row in rows_of("hospice_codes.csv"):
        where = f"code_sets/hospice_codes.csv line {line}"
        _one_of(row["kind"], HOSPICE_KINDS, f"{where}: kind")
        _one_of(row["verified"], tuple(TRUTH), f"{where}: verified")
        if row["kind"] != kind:
            continue
        if row["code"] in codes:
            raise ValueError(f"{where}: {row['code']} is there twice: remove one line.")
        codes.append(row["code"])
    return tuple(codes)


def diagnosis_code_list() -> "pyarrow.Table":
    """Every diagnosis code with the fiscal years in which it was in force, once as billable and once as a heading.

    Columns code, code_system, is_billable, first_fiscal_year and last_fiscal_year; a missing year is an open end.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    text = gzip.decompress(_code_set("diagnosis_codes.csv.gz").read_bytes())
    about = sum(line.startswith(b"#") for line in text[:1000].splitlines())
    year = pa.int32()
    kinds = {"code": pa.string(), "code_system": pa.string(), "is_billable": pa.bool_()}
    return arrow_csv.read_csv(
        pa.BufferReader(text),
        read_options=arrow_csv.ReadOptions(skip_rows=about),
        convert_options=arrow_csv.ConvertOptions(
            column_types=kinds | {"first_fiscal_year": year, "last_fiscal_year": year}
        ),
    )


@cache
def demographic_labels(vocabulary: str) -> dict[str, str]:
    """Label -> group of one of DEMOGRAPHICS; labels in the form that `normal_label` gives.

    Raises:
        ValueError: the vocabulary is unknown, or a label stands for two groups.
    """
    _one_of(vocabulary, DEMOGRAPHICS, "vocabulary")
    groups: dict[str, str] = {}
    for line, row in rows_of("demographic_labels.csv"):
        if row["vocabulary"] != vocabulary:
            continue
        label = normal_label(row["label"])
        if groups.setdefault(label, row["group"]) != row["group"]:
            where = f"code_sets/demographic_labels.csv line {line}"
            raise ValueError(f"{where}: {vocabulary} {label!r} stands for two groups: keep one.")
    return groups


def normal_label(text: str) -> str:
    """Upper case, every run of other characters one space: 'black/african-american' -> 'BLACK AFRICAN AMERICAN'."""
    return re.sub("[^A-Z0-9]+", " ", text.upper()).strip()


def label_pattern(vocabulary: str) -> str:
    """A regular expression for all labels of a vocabulary as feeds write them: any case, any separators."""
    words = [label.replace(" ", "[^A-Za-z0-9]+") for label in demographic_labels(vocabulary)]
    return f"(?i)^[^A-Za-z0-9]*({'|'.join(words)})[^A-Za-z0-9]*$"


def rows_of(name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number (the header is line 1) and values of each line of a code set."""
    text = _code_set(name).read_text(encoding="utf-8")
    yield from enumerate(csv.DictReader(text.splitlines()), start=2)


def _code_set(name: str) -> Traversable:
    return files("claims_assets").joinpath("sources", "code_sets", name)


def _one_of(value: str, legal: tuple[str, ...], what: str) -> None:
    if value not in legal:
        raise ValueError(f"{what} {value!r} is not one of {', '.join(legal)}.")


def fingerprint(name: str) -> str:
    """Hash of a shipped code set, for the `code_version` of the tables that are made of it."""
    return hashlib.sha256(files("claims_assets").joinpath("sources", "code_sets", name).read_bytes()).hexdigest()[:16]
