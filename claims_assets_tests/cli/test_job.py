"""A job's task returns when the command is done, and raises its one sentence when it is not."""

import sys

import pytest

from claims_assets.cli.job import main


def test_a_command_that_is_done_returns(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["claims_job", "publish", "--help"])
    assert main() is None
    assert "CLAIMS_CATALOG" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["publish"], r"^CLAIMS_CATALOG is not set: name the Unity Catalog catalog to publish to\.$"),
        (["publish", "--shcema", "gold"], r"^No such option '?--shcema'?"),
    ],
)
def test_what_is_wrong_is_raised_in_one_sentence(monkeypatch, tmp_path, arguments, message):
    monkeypatch.setenv("CLAIMS_HOME", str(tmp_path))
    monkeypatch.delenv("CLAIMS_CATALOG", raising=False)
    monkeypatch.setattr(sys, "argv", ["claims_job", *arguments])
    with pytest.raises(RuntimeError, match=message) as raised:
        main()
    assert raised.value.__cause__ is None and raised.value.__suppress_context__
