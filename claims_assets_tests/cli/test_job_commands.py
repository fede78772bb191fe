"""The flags of `claims job`: what they say is what the jobs know."""

from dataclasses import fields
from typing import get_args

from claims_assets.cli.fraud_jobs import JOBS, Flags
from claims_assets.cli.job_commands import ENVIRONMENTS, job
from claims_assets.definitions import tables
from claims_assets.models.governance.thresholds import FAIRNESS
from claims_assets.settings import Environment


def options(name):
    return {p.name: p for p in job.commands[name].params}


def test_every_command_is_a_job_with_flags_that_it_knows():
    assert job.commands.keys() == JOBS.keys()
    known = {f.name for f in fields(Flags)}
    for name in JOBS:
        assert options(name).keys() <= known
        assert options(name).keys() >= {"environment", "catalog", "schema", "output_table"}


def test_the_result_of_a_job_is_a_table():
    names = {(t.schema, t.name) for t in tables()}
    for name in JOBS:
        assert JOBS[name].result(Flags(model_type="catboost")) in names


def test_flags_are_compared_by_what_the_gate_demands_to_be_alike():
    assert options("fairness-validate")["protected_attributes"].default == ",".join(FAIRNESS.alike)


def test_the_words_of_a_bundle_s_targets_are_environments():
    assert set(ENVIRONMENTS.values()) == set(get_args(Environment))
    assert {ENVIRONMENTS[word] for word in ("dev", "staging", "prod")} == set(get_args(Environment))


def test_flags_that_were_not_given_are_not_told():
    assert Flags(month="2024-06", threshold_percentile=95.0).given() == {
        "month": "2024-06", "threshold_percentile": "95.0"
    }  # fmt: skip
