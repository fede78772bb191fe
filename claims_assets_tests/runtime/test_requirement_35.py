"""No default secret: each new server has a password of its own, and no source file holds one."""

import re

import pytest

from claims_assets_tests.runtime.postgres_servers import PROJECT, password_of

PASSWORD_IN_URL = re.compile(r"\w+://\w+:(?!password@)[^\s@{}*.]+@")
"""The word `password` itself stands in a message that says how a URL is written."""


@pytest.mark.requirement("R35")
def test_two_servers_have_different_passwords(server, fresh):
    fresh.start()
    assert password_of(fresh) != password_of(server)


@pytest.mark.requirement("R35")
def test_no_file_of_the_package_holds_a_url_with_a_password():
    assert PASSWORD_IN_URL.search("URL = 'postgresql://reader:secret@localhost/plan'")
    texts = [p for p in (PROJECT / "claims_assets").rglob("*") if p.suffix in {".py", ".yaml", ".csv"}]
    assert len(texts) > 50
    assert [p.name for p in texts if PASSWORD_IN_URL.search(p.read_text(encoding="utf-8"))] == []
