"""Laws of a status, over members and doses of any kind, and what the table-driven cases leave out."""

from datetime import date, timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from claims_assets.features.vaccine_doses import Evidence, Person, doses_of, follow
from claims_assets.features.vaccine_rules import later
from claims_assets.features.vaccine_schedule import schedule
from claims_assets.features.vaccine_status import COMPLETE, NO_EVIDENCE, OVERDUE, STATUSES, decide, decided, rule_for
from claims_assets.silver.immunization_evidence import STANDINGS
from claims_assets.sources.code_sets import VACCINES, vaccine_codes

AS_OF = date(2026, 10, 31)
PRODUCTS = {v: sorted({c.product for c in vaccine_codes() if c.vaccine == v}) for v in VACCINES}
UNSEEN = (NO_EVIDENCE, "discuss")
"""Statuses that say nothing of how urgent a dose is: to know more may show that it is."""

births = st.dates(date(1935, 1, 1), date(2026, 9, 30))
conditions = st.frozensets(
    st.sampled_from(["has_diabetes", "transplant", "pregnancy", "immunocompromised", "hiv"]), max_size=2
)


@st.composite
def members(draw):
    """A vaccine, a member, and doses at least a month apart, so that each is a dose of its own."""
    vaccine, birth = draw(st.sampled_from(VACCINES)), draw(births)
    life = max((AS_OF - birth).days, 1)
    gaps = draw(st.lists(st.integers(30, max(life // 3, 31)), max_size=6))
    days = [birth + timedelta(days=sum(gaps[: n + 1])) for n in range(len(gaps))]
    evidence = [
        Evidence(day, draw(st.sampled_from(PRODUCTS[vaccine])), f"s{n}", weak=draw(st.booleans()))
        for n, day in enumerate(days)
        if day <= AS_OF
    ]
    person = Person(birth, draw(st.sampled_from("FMU")), draw(conditions), draw(st.none() | st.just(birth)))
    return vaccine, person, evidence


@settings(max_examples=400, deadline=None)
@given(members(), st.randoms())
def test_the_order_of_evidence_never_matters(member, random):
    vaccine, person, evidence = member
    shuffled = random.sample(evidence, len(evidence))
    assert decide(vaccine, person, shuffled, AS_OF) == decide(vaccine, person, evidence, AS_OF)


@settings(max_examples=400, deadline=None)
@given(members(), st.integers(0, 10))
def test_one_more_dose_never_makes_a_status_worse(member, which):
    vaccine, person, evidence = member
    if not evidence:
        return
    fewer = [e for n, e in enumerate(evidence) if n != which % len(evidence)]
    before, after = decide(vaccine, person, fewer, AS_OF), decide(vaccine, person, evidence, AS_OF)
    if before is None or after is None:
        assert before is None or before.status != COMPLETE
        return
    assert (before.status != COMPLETE) or (after.status == COMPLETE)
    assert after.needed <= before.needed
    if before.status not in (OVERDUE, *UNSEEN):
        assert after.status != OVERDUE


@settings(max_examples=300, deadline=None)
@given(members(), st.sampled_from([s for s in STANDINGS if s != "counts"]))
def test_what_does_not_count_closes_no_gap_and_is_named(member, standing):
    vaccine, person, evidence = member
    refused = [Evidence(e.day, e.product, e.source_id, standing=standing) for e in evidence]
    found, without = decide(vaccine, person, refused, AS_OF), decide(vaccine, person, [], AS_OF)
    if found is None or without is None:
        assert found == without
        return
    assert (found.status, found.counted, found.needed) == (without.status, (), without.needed)
    assert found.refused == tuple(sorted((e.source_id, standing) for e in refused))


@settings(max_examples=300, deadline=None)
@given(members())
def test_every_dose_is_counted_or_refused_and_the_numbers_agree(member):
    vaccine, person, evidence = member
    found = decide(vaccine, person, evidence, AS_OF)
    if found is None:
        return
    assert found.status in STATUSES
    counted = {s for dose in found.counted for s in dose.source_ids}
    assert counted.isdisjoint({s for s, _ in found.refused})
    assert counted <= {e.source_id for e in evidence}
    assert (found.needed == 0) == (found.status == COMPLETE)
    assert found.until is None or found.until > AS_OF


def test_evidence_of_one_dose_is_merged_and_the_best_names_the_product():
    day = date(2024, 1, 10)
    pieces = [
        Evidence(day, "pneumococcal unspecified", "g", weak=True),
        Evidence(day + timedelta(days=2), "pneumococcal unspecified", "r"),
        Evidence(day + timedelta(days=4), "PCV20", "p", rank=2),
        Evidence(day + timedelta(days=9), "PPSV23", "m", rank=1),
    ]
    (first, second) = doses_of(pieces)
    assert (first.day, first.product, first.weak, first.source_ids) == (day, "PCV20", False, ("g", "p", "r"))
    assert (second.day, second.product) == (day + timedelta(days=9), "PPSV23")


def test_every_rule_decides_for_someone_and_names_itself():
    found = set()
    for vaccine, rules in schedule().items():
        for rule in rules:
            for years in range(100):
                birth = date(2026 - years, 3, 1)
                for as_of in (AS_OF, rule.valid_to or AS_OF):
                    decision = decide(vaccine, Person(birth, rule.sex or "F", rule.conditions), [], as_of)
                    if decision:
                        found.add(decision.rule.rule)
    infant = decide("rotavirus", Person(date(2026, 9, 15)), [], AS_OF)
    assert infant
    assert found | {infant.rule.rule} == {rule.rule for rules in schedule().values() for rule in rules}


def fits(option, chosen, person):
    """Every chosen dose meets every condition of its step: the definition, without an order of search."""
    for n, (step, dose) in enumerate(zip(option.steps, chosen, strict=True)):
        early = dose.day + timedelta(days=step.grace_days)
        shorter = step.shorter_interval and step.shorter_if & person.conditions
        interval = step.shorter_interval if shorter else step.min_interval
        if (
            (step.products is not None and dose.product not in step.products)
            or (step.min_age and early < later(person.birth, step.min_age))
            or (step.before_age and dose.day >= later(person.birth, step.before_age))
            or (n and interval and early < later(chosen[n - 1].day, interval))
            or (n and step.from_first and early < later(chosen[0].day, step.from_first))
        ):
            return False
    return True


@settings(max_examples=400, deadline=None)
@given(members())
def test_a_series_is_complete_if_any_choice_of_doses_completes_it(member):
    """Taking the earliest dose that counts for each step finds a way whenever there is one."""
    vaccine, person, evidence = member
    doses = doses_of(evidence)
    for rule in schedule()[vaccine]:
        for option in rule.options:
            if rule.season_start:
                continue
            found = follow(option, doses, person, None, None)
            choices = combinations(doses, len(option.steps))
            assert found.complete == any(fits(option, chosen, person) for chosen in choices)


@settings(max_examples=1500, deadline=None)
@given(births, conditions, st.none() | st.dates(date(1990, 1, 1), AS_OF), st.dates(date(2018, 1, 31), AS_OF))
def test_who_shares_a_decision_with_others_would_get_the_same_alone(birth, named, seen, as_of):
    """Without evidence, from some age on, the day of birth decides nothing any more."""
    person = Person(birth, "F", named, seen)
    for vaccine in VACCINES:
        rule = rule_for(vaccine, person, as_of)
        if rule:
            assert decide(vaccine, person, [], as_of) == decided(vaccine, rule, person, [], as_of)
