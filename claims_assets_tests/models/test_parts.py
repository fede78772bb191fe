"""Parts of the members: of the size they should have, by the member alone, and another draw for another seed."""

import numpy as np

from claims_assets.models.parts import PARTS, numbered, part_of

MEMBERS = [f"M{i}" for i in range(5000)]


def test_each_part_has_its_share_of_the_members():
    shares = np.bincount(part_of(MEMBERS, 42), minlength=PARTS) / len(MEMBERS)
    assert len(shares) == PARTS
    assert abs(shares - 1 / PARTS).max() < 0.02


def test_a_member_is_in_the_same_part_in_any_company():
    together = part_of(MEMBERS, 42)
    assert part_of(MEMBERS[::-1], 42)[::-1].tolist() == together.tolist()
    assert [part_of([m], 42)[0] for m in MEMBERS[:50]] == together[:50].tolist()


def test_other_seeds_and_uses_draw_other_members():
    one, two, sample = part_of(MEMBERS, 1) == 0, part_of(MEMBERS, 2) == 0, numbered(MEMBERS, "sample", 1000) < 200
    for a, b in ((one, two), (one, sample)):
        assert 0.1 < (a & b).sum() / a.sum() < 0.3
