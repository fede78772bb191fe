"""Here `rows` are the held-out rows of a good classifier; a test spoils a copy of them."""

import pytest

from claims_assets_tests.models.governance.heldout import classifier_rows


@pytest.fixture(scope="module")
def rows():
    return classifier_rows()
