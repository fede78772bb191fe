"""What a member is ill with, as known at the end of an as-of month: chronic conditions and two comorbidity indices.

Here: the columns, and the sums of one row. Elsewhere: how much evidence is asked for (`evidence.py`), the codes
(`conditions.py`, `comorbidities.py`), what counts when (`as_of.py`).
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from claims_assets import columns as c
from claims_assets.contracts import Contract, compiled
from claims_assets.features.as_of import as_of_number, counting
from claims_assets.features.comorbidities import Comorbidity, comorbidities
from claims_assets.features.conditions import CONDITIONS, number_of_chronic_conditions
from claims_assets.features.evidence import present, total
from claims_assets.features.utilization import KEY
from claims_assets.table import LastYearAsKnown, table

CHARLSON, ELIXHAUSER = comorbidities("charlson"), comorbidities("elixhauser")


def bounds(categories: Sequence[Comorbidity]) -> dict[str, int]:
    """Lowest and highest sum of weights."""
    weights = [x.weight for x in categories]
    return {"min_value": sum(w for w in weights if w < 0), "max_value": sum(w for w in weights if w > 0)}


class MemberConditions(Contract):
    """Member conditions: one row per member enrolled in the as-of month, from what was known at its end.

    A condition is present with one inpatient day or two outpatient days that name it, in the as-of month and the eleven
    before it; paid claims only, and no lines that bill tests only. A flag is false without such evidence, which is not
    proof of health.
    """

    member_id: str = c.member_id()
    claim_month: str = c.claim_month()

    has_diabetes: bool = c.flag("Diabetes mellitus of any type.")
    has_hypertension: bool = c.flag("Hypertensive disease.")
    has_copd_asthma: bool = c.flag("Chronic obstructive lung disease or asthma.")
    has_heart_failure: bool = c.flag("Heart failure.")
    has_ckd: bool = c.flag("Chronic kidney disease.")
    has_mental_health: bool = c.flag("Mental disorder, neither organic nor by substance use.")
    has_obesity: bool = c.flag("Obesity.")
    has_cancer: bool = c.flag("Cancer other than non-melanoma skin cancer.")
    has_substance_use: bool = c.flag("Substance use, tobacco included; not in chronic_condition_count.")
    chronic_condition_count: c.Count = c.required(
        "How many of the eight conditions from has_diabetes to has_cancer.", in_range={"min_value": 0, "max_value": 8}
    )

    charlson_myocardial_infarction: bool = c.flag("Heart attack, recent or old.")
    charlson_congestive_heart_failure: bool = c.flag("Heart failure.")
    charlson_peripheral_vascular_disease: bool = c.flag("Disease of arteries outside heart and brain.")
    charlson_cerebrovascular_disease: bool = c.flag("Stroke, or another disease of the brain's vessels.")
    charlson_dementia: bool = c.flag("Dementia.")
    charlson_chronic_pulmonary_disease: bool = c.flag("Chronic lung disease.")
    charlson_rheumatic_disease: bool = c.flag("Rheumatoid arthritis, lupus or a like disease.")
    charlson_peptic_ulcer_disease: bool = c.flag("Ulcer of stomach or duodenum.")
    charlson_mild_liver_disease: bool = c.flag("Liver disease without its severe complications.")
    charlson_diabetes_uncomplicated: bool = c.flag("Diabetes without lasting damage to organs.")
    charlson_diabetes_complicated: bool = c.flag("Diabetes with damage to eyes, kidneys, nerves or vessels.")
    charlson_hemiplegia_or_paraplegia: bool = c.flag("Paralysis of one side or of the legs.")
    charlson_renal_disease: bool = c.flag("Chronic kidney disease.")
    charlson_cancer: bool = c.flag("Cancer, leukemia or lymphoma; not of the skin, except melanoma.")
    charlson_severe_liver_disease: bool = c.flag("Moderate or severe liver disease.")
    charlson_metastatic_solid_tumor: bool = c.flag("Cancer that has spread.")
    charlson_hiv_aids: bool = c.flag("HIV disease.")
    charlson_index: c.Whole = c.required(
        "Charlson index: sum of the weights of 1987, the milder form of a disease left out.",
        in_range=bounds(CHARLSON),
    )

    elixhauser_congestive_heart_failure: bool = c.flag("Heart failure.")
    elixhauser_cardiac_arrhythmia: bool = c.flag("Irregular heart rhythm.")
    elixhauser_valvular_disease: bool = c.flag("Disease of the heart valves.")
    elixhauser_pulmonary_circulation_disorder: bool = c.flag("Disease of the lung's vessels.")
    elixhauser_peripheral_vascular_disorder: bool = c.flag("Disease of arteries outside heart and brain.")
    elixhauser_hypertension_uncomplicated: bool = c.flag("High blood pressure without organ disease.")
    elixhauser_hypertension_complicated: bool = c.flag("High blood pressure with organ disease, or secondary.")
    elixhauser_paralysis: bool = c.flag("Paralysis of one side or of the legs.")
    elixhauser_other_neurological_disorder: bool = c.flag("Parkinson's, epilepsy, multiple sclerosis and others.")
    elixhauser_chronic_pulmonary_disease: bool = c.flag("Chronic lung disease.")
    elixhauser_diabetes_uncomplicated: bool = c.flag("Diabetes without complications.")
    elixhauser_diabetes_complicated: bool = c.flag("Diabetes with complications.")
    elixhauser_hypothyroidism: bool = c.flag("Underactive thyroid.")
    elixhauser_renal_failure: bool = c.flag("Chronic kidney disease.")
    elixhauser_liver_disease: bool = c.flag("Liver disease, mild or severe.")
    elixhauser_peptic_ulcer_disease: bool = c.flag("Ulcer of stomach or duodenum without bleeding.")
    elixhauser_hiv_aids: bool = c.flag("HIV disease.")
    elixhauser_lymphoma: bool = c.flag("Lymphoma or myeloma.")
    elixhauser_metastatic_cancer: bool = c.flag("Cancer that has spread.")
    elixhauser_solid_tumor: bool = c.flag("Solid tumor; not of the skin, except melanoma.")
    elixhauser_rheumatoid_arthritis: bool = c.flag("Rheumatoid arthritis or another disease of connective tissue.")
    elixhauser_coagulopathy: bool = c.flag("Disorder of blood clotting.")
    elixhauser_obesity: bool = c.flag("Obesity by its own code, overweight included.")
    elixhauser_weight_loss: bool = c.flag("Malnutrition or weight loss.")
    elixhauser_fluid_and_electrolyte_disorder: bool = c.flag("Disorder of fluid or salts.")
    elixhauser_blood_loss_anemia: bool = c.flag("Anemia from chronic blood loss.")
    elixhauser_deficiency_anemia: bool = c.flag("Anemia from a deficiency.")
    elixhauser_alcohol_abuse: bool = c.flag("Alcohol use disorder, or its organ damage.")
    elixhauser_drug_abuse: bool = c.flag("Drug use disorder.")
    elixhauser_psychosis: bool = c.flag("Schizophrenia or another psychosis.")
    elixhauser_depression: bool = c.flag("Depression or adjustment disorder.")
    elixhauser_van_walraven_score: c.Whole = c.required(
        "Elixhauser categories weighted by van Walraven 2009, the milder form of a disease left out.",
        in_range=bounds(ELIXHAUSER),
    )

    class Config:
        unique = ["member_id", "claim_month"]


@table(MemberConditions, domain="risk", keeps_rows_of=("silver_member_months_as_known",))
def member_conditions(
    silver_claim_versions: LastYearAsKnown, silver_member_months_as_known: DataFrame, months: list[str]
) -> DataFrame:
    """Conditions of the members enrolled in the asked months, each from what was known at the end of its month."""
    groups = (*CONDITIONS, *CHARLSON, *ELIXHAUSER)
    found = present(counting(silver_claim_versions, months), groups)
    members = silver_member_months_as_known.select("member_id", "claim_month", as_of_number().alias("as_of"))
    return (
        members.join(found, list(KEY), "left")
        .fillna(False, [group.column for group in groups])
        .withColumns(
            {
                "chronic_condition_count": number_of_chronic_conditions(),
                "charlson_index": _score(CHARLSON),
                "elixhauser_van_walraven_score": _score(ELIXHAUSER),
            }
        )
        .select(*compiled(MemberConditions).columns)
    )


def _score(categories: Sequence[Comorbidity]) -> Column:
    """Weights of the categories that are present, each unless the more severe form of it is."""
    return total([F.when(_counts(x), x.weight).otherwise(0) for x in categories])


def _counts(category: Comorbidity) -> Column:
    here = F.col(category.column)
    return here if category.yields_to is None else here & ~F.col(category.yields_to)
