"""The population has the sizes and the structure that it is documented to have."""

import numpy as np
from scipy.stats import rankdata, spearmanr

from claims_assets.synthetic.arrays import month_of_day
from claims_assets.synthetic.codes import CLAIM_TYPES, CONDITIONS
from claims_assets.synthetic.conditions import NEVER

YEARS = [slice(12 * y, 12 * y + 12) for y in range(4)]


def spread(life, member, day, value):
    """(members, months) sums."""
    total = np.zeros(life.cover.covered.shape)
    np.add.at(total, (member, month_of_day(day) - life.people.block.first_month), value)
    return total


def cost(life):
    c, ls, f = life.claims, life.lines, life.fills
    medical = spread(life, c["member"][ls["claim"]], c["from_day"][ls["claim"]], ls["paid"] / 100)
    return medical + spread(life, f["member"], f["day"], f["paid"] / 100)


def emergency_days(life):
    c = life.claims
    er = c["type"] == CLAIM_TYPES.index("ER")
    days = np.unique(np.stack([c["member"][er], c["from_day"][er]]), axis=1)
    return spread(life, days[0], days[1], 1)


def auc(score, label):
    ranks, positives = rankdata(score), label.sum()
    return (ranks[label].sum() - positives * (positives + 1) / 2) / (positives * (len(label) - positives))


def test_ages_are_mixed_as_stated(life):
    age = life.people.ages()[:, 24]
    assert abs((age < 19).mean() - 0.40) < 0.03
    assert abs((age >= 65).mean() - 0.15) < 0.02


def test_magnitudes_are_those_of_a_plan(life):
    months = life.cover.covered.sum()
    assert 400 < cost(life).sum() / months < 550
    assert 1.2 < len(life.lines["claim"]) / months < 1.6
    assert 0.75 < len(life.fills["id"]) / months < 1.05


def test_few_members_are_expensive_or_often_in_the_emergency_department(life):
    for year in YEARS:
        covered = life.cover.covered[:, year].any(axis=1)
        assert 0.04 < (cost(life)[covered][:, year].sum(axis=1) >= 25_000).mean() < 0.06
        assert 0.05 < (emergency_days(life)[covered][:, year].sum(axis=1) >= 3).mean() < 0.08


def test_the_past_foretells_the_future_but_not_all_of_it(life):
    spent, visits = cost(life), emergency_days(life)
    both = life.cover.covered[:, 23] & life.cover.covered[:, 24]
    before, after = ([m[both][:, y].sum(axis=1) for m in (spent, visits)] for y in (YEARS[1], YEARS[2]))
    assert spearmanr(before[0], after[0]).statistic > 0.45
    assert 0.75 < auc(before[0], after[0] >= 25_000) < 0.90
    assert 0.75 < auc(before[1], after[1] >= 3) < 0.90


def test_diagnoses_tell_more_than_last_years_cost(life):
    spent = cost(life)
    ill = (life.ill.onset < 12).sum(axis=1)
    covered = life.cover.covered[:, 11] & life.cover.covered[:, 12]
    cheap = covered & (spent[:, YEARS[0]].sum(axis=1) < 2_000)
    next_year = spent[:, YEARS[1]].sum(axis=1)
    assert next_year[cheap & (ill >= 3)].mean() > 1.5 * next_year[cheap & (ill == 0)].mean()


def test_conditions_cluster_and_grow_with_age(life):
    has = life.ill.onset < NEVER
    age = life.people.ages()[:, 24]
    diabetes, ckd = (has[:, CONDITIONS.index(c)] for c in ("diabetes", "ckd"))
    assert ckd[diabetes].mean() > 3 * ckd[~diabetes].mean()
    assert diabetes[age >= 65].mean() > 2 * diabetes[(age >= 19) & (age < 65)].mean()
    assert (has & (life.ill.onset > 0)).any(axis=0).all()


def test_respiratory_illness_has_a_season(life):
    month = month_of_day(life.claims["from_day"]) % 12 + 1
    from claims_assets.synthetic.codes import DIAGNOSES

    flu = np.isin(life.claims["dx"][:, 0], [i for i, d in enumerate(DIAGNOSES) if d.startswith(("J10", "J11"))])
    assert np.isin(month[flu], (11, 12, 1, 2, 3)).mean() > 0.8


def test_most_claims_are_received_within_two_months_and_some_after_half_a_year(life):
    service = month_of_day(life.claims["from_day"]) - life.people.block.first_month
    early = service < 36
    lag = life.claims["received"][early] - service[early]
    assert (lag <= 2).mean() > 0.9
    assert (lag >= 6).any() and (lag >= 0).all()


def test_the_dead_do_not_see_doctors(life):
    death = life.people.death[life.claims["member"]]
    assert ((death < 0) | (life.claims["from_day"] <= death)).all()


def test_nearly_all_gaps_are_within_the_plausible_share(life):
    joins = np.diff(life.cover.covered.astype(int), axis=1) == 1
    left_before = np.cumsum(life.cover.covered, axis=1)[:, :-1] > 0
    with_gap = (joins & left_before)[:, :12].any(axis=1).mean()
    assert 0.001 < with_gap < 0.10
