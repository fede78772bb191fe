"""Charlson and Elixhauser comorbidities: the codes that name each, their weights, and which yields to which.

The codes are those of Quan et al., "Coding algorithms for defining comorbidities in ICD-9-CM and ICD-10 administrative
data", Med Care 2005;43:1130-9, as published: nothing is added for codes that ICD-10-CM got later. They ship as
`sources/code_sets/comorbidity_codes.csv`. Elsewhere: how much evidence is asked for (`evidence.py`), the eight chronic
conditions of the risk scores (`conditions.py`), the table (`member_conditions.py`).
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

CODE_SET = "comorbidity_codes.csv"
SYSTEMS = ("ICD-10-CM", "ICD-9-CM")

CHARLSON_WEIGHTS = {
    "myocardial_infarction": 1,
    "congestive_heart_failure": 1,
    "peripheral_vascular_disease": 1,
    "cerebrovascular_disease": 1,
    "dementia": 1,
    "chronic_pulmonary_disease": 1,
    "rheumatic_disease": 1,
    "peptic_ulcer_disease": 1,
    "mild_liver_disease": 1,
    "diabetes_uncomplicated": 1,
    "diabetes_complicated": 2,
    "hemiplegia_or_paraplegia": 2,
    "renal_disease": 2,
    "cancer": 2,
    "severe_liver_disease": 3,
    "metastatic_solid_tumor": 6,
    "hiv_aids": 6,
}
"""Charlson et al., J Chronic Dis 1987;40:373-83: the original weights, which most published cut-offs use."""
VAN_WALRAVEN_WEIGHTS = {
    "congestive_heart_failure": 7,
    "cardiac_arrhythmia": 5,
    "valvular_disease": -1,
    "pulmonary_circulation_disorder": 4,
    "peripheral_vascular_disorder": 2,
    "hypertension_uncomplicated": 0,
    "hypertension_complicated": 0,
    "paralysis": 7,
    "other_neurological_disorder": 6,
    "chronic_pulmonary_disease": 3,
    "diabetes_uncomplicated": 0,
    "diabetes_complicated": 0,
    "hypothyroidism": 0,
    "renal_failure": 5,
    "liver_disease": 11,
    "peptic_ulcer_disease": 0,
    "hiv_aids": 0,
    "lymphoma": 9,
    "metastatic_cancer": 12,
    "solid_tumor": 4,
    "rheumatoid_arthritis": 0,
    "coagulopathy": 3,
    "obesity": -4,
    "weight_loss": 6,
    "fluid_and_electrolyte_disorder": 5,
    "blood_loss_anemia": -2,
    "deficiency_anemia": -2,
    "alcohol_abuse": 0,
    "drug_abuse": -7,
    "psychosis": 0,
    "depression": -3,
}
"""van Walraven et al., Med Care 2009;47:626-33: points for death in hospital; negative points are as published."""
WEIGHTS = {"charlson": CHARLSON_WEIGHTS, "elixhauser": VAN_WALRAVEN_WEIGHTS}

YIELDS_TO = {
    ("charlson", "diabetes_uncomplicated"): "diabetes_complicated",
    ("charlson", "mild_liver_disease"): "severe_liver_disease",
    ("charlson", "cancer"): "metastatic_solid_tumor",
    ("elixhauser", "hypertension_uncomplicated"): "hypertension_complicated",
    ("elixhauser", "diabetes_uncomplicated"): "diabetes_complicated",
    ("elixhauser", "solid_tumor"): "metastatic_cancer",
}
"""The milder form adds no points beside the severe one, the rule of the authors of both indices."""


@dataclass(frozen=True)
class Comorbidity:
    """One category of one index."""

    index: str
    category: str
    icd_10_cm: tuple[str, ...]
    icd_9_cm: tuple[str, ...]
    weight: int
    yields_to: str | None
    """Column of the more severe category that takes this one's points."""

    @property
    def column(self) -> str:
        return f"{self.index}_{self.category}"


@cache
def comorbidities(index: str) -> tuple[Comorbidity, ...]:
    """The categories of `charlson` or `elixhauser`, in published order.

    Raises:
        ValueError: a line of the code set is wrong or there twice, or a category has no code; it is named.
    """
    codes = _codes()
    empty = [f"{index} {c} ({s})" for c in WEIGHTS[index] for s in SYSTEMS if not codes.get((index, c, s))]
    if empty:
        raise ValueError(f"code_sets/{CODE_SET}: no code for {empty[0]}: add its lines.")
    return tuple(
        Comorbidity(
            index,
            category,
            *(tuple(codes[index, category, system]) for system in SYSTEMS),
            weight=weight,
            yields_to=f"{index}_{YIELDS_TO[index, category]}" if (index, category) in YIELDS_TO else None,
        )
        for category, weight in WEIGHTS[index].items()
    )


def _codes() -> dict[tuple[str, str, str], list[str]]:
    """Beginnings of codes by index, category and system."""
    text = files("claims_assets").joinpath("sources", "code_sets", CODE_SET).read_text(encoding="utf-8")
    found: dict[tuple[str, str, str], list[str]] = {}
    # The header is line 1.
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        where = f"code_sets/{CODE_SET} line {number}"
        if row["category"] not in WEIGHTS.get(row["index"], {}):
            raise ValueError(f"{where}: {row['index']} {row['category']} is no category of WEIGHTS.")
        if row["system"] not in SYSTEMS:
            raise ValueError(f"{where}: system {row['system']!r} is not one of {', '.join(SYSTEMS)}.")
        if not row["code"].isalnum():
            raise ValueError(f"{where}: code {row['code']!r} is not letters and digits only: write it without a dot.")
        codes = found.setdefault((row["index"], row["category"], row["system"]), [])
        if row["code"] in codes:
            raise ValueError(f"{where}: {row['category']} {row['code']} is there twice: remove one line.")
        codes.append(row["code"])
    return found
