"""Which provider URLs staging and production accept."""

import pytest

from claims_assets.settings import SettingError, settings_from_environment

REMOTE = "postgresql://reader:s3cret@db.example.org:5432/plan"


def url_of(url: str, environment: str = "production") -> str | None:
    return settings_from_environment({"CLAIMS_ENV": environment, "CLAIMS_PROVIDERS_URL": url}).providers_url


@pytest.mark.requirement("R35")
@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize(
    "url",
    [
        REMOTE,
        REMOTE + "?sslmode=prefer",
        REMOTE + "?sslmode=allow",
        REMOTE + "?sslmode=disable",
        REMOTE + "?sslmode=",
        REMOTE + "?sslmode=verify-full&sslmode=disable",
        "postgresql://reader:s3cret@localhost,db.example.org/plan",
        "postgresql://reader:s3cret@/plan?host=db.example.org",
        "postgresql://reader:s3cret@localhost/plan?hostaddr=10.0.0.7",
        "postgresql://reader:s3cret@[2001:db8::1]:5432/plan",
        "postgresql://reader:s3cret@127.0.0.1.example.org/plan",
    ],
)
def test_a_url_that_may_fall_back_to_plain_text_is_refused_with_the_remedy_and_no_secret(url, environment):
    with pytest.raises(SettingError) as refused:
        url_of(url, environment)
    said = str(refused.value)
    assert said.startswith("CLAIMS_PROVIDERS_URL lets") and "add ?sslmode=verify-full&sslrootcert=" in said
    assert "s3cret" not in said and environment in said


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca", "require"])
def test_an_encrypted_connection_is_accepted(mode):
    assert url_of(f"{REMOTE}?sslmode={mode}") == f"{REMOTE}?sslmode={mode}"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.1:6000", "[::1]:5432", "", "%2Fvar%2Frun"])
def test_this_machine_needs_no_encryption(host):
    url = f"postgresql://reader:s3cret@{host}/plan"
    assert url_of(url) == url


def test_a_laptop_may_do_without():
    assert url_of(REMOTE, "local") == REMOTE
