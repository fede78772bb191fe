"""The picture: no small cells, and small."""

import base64

import numpy as np

from claims_assets.models.plot import LEAST_MEMBERS, binned, picture


def test_bins_of_fewer_than_eleven_members_are_left_out():
    y, p = np.ones(10 * LEAST_MEMBERS - 1), np.linspace(0, 1, 10 * LEAST_MEMBERS - 1)
    x, _ = binned(y, p, events=False)
    assert len(x) == 9


def test_bins_with_one_to_ten_events_are_left_out():
    p = np.repeat(np.arange(10) / 16, 20)
    y = np.repeat([0, 1] * 5, 20).astype(float)
    assert len(binned(y, p, events=True)[0]) == 10
    y[20:30] = 0
    assert binned(y, p, events=True)[0] == [0.0, *[b / 16 for b in range(2, 10)]]


def test_a_small_population_gets_a_sentence():
    assert "fewer than 11" in picture("t", "share", np.ones(5), np.ones(5), events=True)


def test_the_picture_is_a_small_png():
    rng = np.random.default_rng(1)
    p = rng.random(5000)
    found = picture("er_utilization_predictor 2025-06", "share", (rng.random(5000) < p).astype(float), p, events=True)
    content = base64.b64decode(found.split("base64,")[1].rstrip(")"))
    assert content.startswith(b"\x89PNG")
    assert len(found) < 40_000
