"""A list, what became of it in landing files, and what the outcomes say: through the real tables."""

from pathlib import Path

import dagster as dg
import pytest

from claims_assets.bronze.claim_links import claim_links
from claims_assets.bronze.immunizations import immunizations
from claims_assets.bronze.medical_claims import medical_claims
from claims_assets.bronze.outreach_contacts import outreach_contacts
from claims_assets.bronze.pharmacy_claims import pharmacy_claims
from claims_assets.monitoring.outreach_outcomes import ANY, outreach_outcomes
from claims_assets.monitoring.uptake import ALL, HOLDOUT, LISTED
from claims_assets.outreach.immunization_targeting import ImmunizationTargeting
from claims_assets.outreach.outreach_policy import outreach_policy
from claims_assets.outreach.policy import PolicyFile
from claims_assets.runtime.compute import computes_for
from claims_assets.silver.claim_versions import claim_versions
from claims_assets.silver.immunization_evidence import immunization_evidence
from claims_assets.sources.stage import refresh
from claims_assets.staleness import Contents
from claims_assets_tests.monitoring.test_outreach_outcomes import JUDGED, LIST, member

FEEDS = ("medical_claims", "pharmacy_claims", "immunizations", "outreach_contacts")
EVIDENCE = (immunizations, claim_links, claim_versions, immunization_evidence)
PLAIN = {
    "reason": "Influenza is due.",
    "vaccines_overdue": [],
    "vaccines_contraindicated": [],
    "vaccines_complete": [],
    "vaccines_not_yet": [],
    "dose_evidence": [],
    "immunization_priority_score": 60,
    "outreach_priority_score": 85,
    "recommended_channel": "Phone Call + Letter",
    "reachable_channels": ["phone"],
    "also_by_mail": False,
    "estimated_preventable_cost": 0,
    "risk_tier": "Low",
    "chronic_condition_count": 0,
    "high_risk_score": 0.1,
    "er_utilization_risk_score": 0.1,
    "high_cost_risk_score": 0.1,
    "predicted_total_cost": 1000,
    "model_status": "rule",
    "gender": "F",
    "race": "White",
    "ethnicity": "Unknown",
}
PLACE = {"contact_channel": "phone", "contact_week": 1, "contact_tier": "Tier 1 - Immediate", "outreach_rank": 1}


class Site:
    """A landing folder and a lake."""

    def __init__(self, folder, lake, resources, instance):
        self.landing, self.lake = folder / "landing", lake
        self.resources, self.instance = resources, instance
        for feed in ("immunizations", "outreach_contacts"):
            (self.landing / feed).mkdir(parents=True)
            (self.landing / f"{feed}.yaml").write_text(r"received_on: {file_name: '(\d{4}-\d{2})'}")

    def land(self, name, header, lines):
        """Put a file into the landing folder."""
        file = self.landing / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([header, *lines]) + "\n")

    def build(self, *tables):
        """Refresh the landing tables, then these, of all months from the list to its judgement."""
        for feed in FEEDS:
            refresh(feed, self.landing, Path(self.lake.root), start_month="2024-01", latest_month="2025-06")
        tags = {"dagster/asset_partition_range_start": LIST, "dagster/asset_partition_range_end": JUDGED}
        for table in tables:
            assert dg.materialize([table.asset], instance=self.instance, resources=self.resources, tags=tags).success

    def outcome(self, spark):
        found = self.lake.read(spark, "monitoring", "outreach_outcomes").collect()
        return {(r.claim_month, r.outreach_group, r.outreach_tier, r.vaccine): r for r in found}


@pytest.fixture
def site(tmp_path, lake, spark_resource):
    resources = {"spark": spark_resource, "lake": lake, "policy_file": PolicyFile(), **computes_for(None)}
    with dg.DagsterInstance.ephemeral() as instance:
        yield Site(tmp_path, lake, resources, instance)


def claims(*numbers):
    return [f"C{n},M{n:04d},2024-10-08,2024-10-07,PROF,PAID,90686,20.00" for n in numbers]


def registry(*numbers):
    return [f"M{n:04d},2024-09-20,150,completed" for n in numbers]


REGISTRY = "member_id,administered_date,cvx_code,status"


def test_the_outcomes_of_a_list_follow_from_its_landing_files(site, rows, spark):
    people = [member(i, **PLAIN, **PLACE) for i in range(60)] + [member(60 + i, HOLDOUT, **PLAIN) for i in range(40)]
    targeting = rows(ImmunizationTargeting, *people)
    written = site.lake.write(targeting, "gold", "immunization_targeting", ImmunizationTargeting, [LIST])
    assert not written.blocked and written.failed_by_rule() == {}
    header = "claim_id,member_id,claim_date,service_from_date,claim_type,claim_status,procedure_code_1,paid_amount"
    site.land("medical_claims/claims.csv", header, claims(*range(15), *range(60, 72)))
    site.land("immunizations/registry_2024-10.csv", REGISTRY, registry(*range(12, 30)))
    calls = [
        f"M{i:04d},2024-09-{3 + i % 20:02d}T11:00:00,phone,{'reached' if i % 2 else 'No answer'}" for i in range(24)
    ]
    site.land("outreach_contacts/attempts_2024-09.csv", "member_id,contacted_at,channel,outcome", calls)

    site.build(medical_claims, pharmacy_claims, *EVIDENCE, outreach_contacts, outreach_policy, outreach_outcomes)
    found = site.outcome(spark)
    listed, held_out = found[JUDGED, LISTED, ALL, ANY], found[JUDGED, HOLDOUT, ALL, ANY]
    assert (listed.members, listed.contacted, listed.reached, listed.vaccinated) == (60, 24, 12, 30)
    assert (held_out.members, held_out.contacted, held_out.vaccinated) == (40, 0, 12)
    assert listed.difference == pytest.approx(0.2)
    assert listed.difference_lower < 0.2 < listed.difference_upper

    after, before = ["2025-01"], Contents(site.lake)
    site.land("immunizations/registry_2025-01.csv", REGISTRY, registry(*range(30, 45)))
    late = "M0030,2024-09-25T11:00:00,mail,reached"
    site.land("outreach_contacts/attempts_2025-01.csv", "member_id,contacted_at,channel,outcome", [late])
    earlier = before.read_for(outreach_outcomes.inputs, after)
    site.build(*EVIDENCE, outreach_contacts)
    assert site.lake.read(spark, "silver", "immunization_evidence").count() == 27 + 18 + 15
    assert site.lake.read(spark, "bronze", "outreach_contacts").count() == 24 + 1
    now = Contents(site.lake)
    assert now.read_for(outreach_outcomes.inputs, after) != earlier, "what comes late speaks of later months"
    assert now.stale("monitoring", "outreach_outcomes", outreach_outcomes.inputs, [JUDGED]) == []
    site.build(outreach_outcomes)
    assert site.outcome(spark) == found, "and a rebuild knows what was known then"
