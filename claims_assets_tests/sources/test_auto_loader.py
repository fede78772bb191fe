"""Files found by a stream are staged as files found by a listing, whatever happens to them and whenever it crashes.

The stream is Spark's own over files, with Auto Loader's one function replaced: `cloudFiles` exists on Databricks only.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import fastavro
import pytest

from claims_assets.runtime.compute import computes_for
from claims_assets.settings import settings_from_environment
from claims_assets.sources import auto_loader, inventory
from claims_assets.sources.auto_loader import AutoLoader
from claims_assets.sources.feeds import LandingError
from claims_assets.sources.files import LandingZone, landing_assets
from claims_assets.sources.mapping import Mapping
from claims_assets_tests.sources.zone import CLAIMS, Zone

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]
FEED = "medical_claims"
AVRO = {"type": "record", "name": "line", "fields": [{"name": n, "type": "string"} for n in CLAIMS.split(",")]}
FILL = "claim_id,member_id,fill_date,ndc_code\n"
DIES_BEFORE_THE_COMMIT = """
import os, signal, sys
from pathlib import Path
from claims_assets.runtime.spark import classic_session
from claims_assets.sources import parts
from claims_assets_tests.conftest import FAST
from claims_assets_tests.sources import test_auto_loader as tests
from claims_assets_tests.sources.zone import Zone

classic_session(1 << 30, sys.argv[2], FAST)
tests.auto_loader.cloud_files = tests.plain_files
parts.commit = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
zone = Zone(Path(sys.argv[1]))
zone.refresh(files_of=tests.loader(zone).files_by_path)
"""


def plain_files(reader, _events):
    """Spark's own streaming over files."""
    return reader.format("binaryFile")


def loader(zone: Zone) -> AutoLoader:
    return AutoLoader(zone.lake.with_name("streams"), events=False)


@pytest.fixture(autouse=True)
def of_spark(engine, request, monkeypatch):
    """The session of Spark itself, with the stream that it has."""
    if engine != "spark":
        pytest.skip("streams need Spark: run with --engine spark")
    monkeypatch.setattr(auto_loader, "cloud_files", plain_files)
    return request.getfixturevalue("spark")


@pytest.fixture
def streamed(tmp_path) -> Zone:
    return Zone(tmp_path)


@pytest.fixture
def listed(streamed) -> Zone:
    """The same landing folder, and a lake of its own that is filled by listing."""
    other = Zone(streamed.landing.parent / "other")
    other.landing.rmdir()
    other.landing = streamed.landing
    return other


def both(streamed: Zone, listed: Zone, feed: str = FEED, latest: str = "2024-12"):
    """Refresh by stream and by listing; the second tells what the first must have found."""
    return (
        streamed.refresh(feed, latest=latest, files_of=loader(streamed).files_by_path),
        listed.refresh(feed, latest=latest),
    )


def held(zone: Zone, feed: str = FEED):
    """Everything that the landing stage holds of a feed."""
    return zone.staged(feed), zone.aside(feed), inventory.read(zone.lake, feed)


def avro(path: Path, *rows: str) -> None:
    records = [dict(zip(CLAIMS.split(","), row.split(","), strict=True)) for row in rows]
    with path.open("wb") as file:
        fastavro.writer(file, AVRO, records, codec="deflate", sync_marker=b"0123456789abcdef")


def test_a_stream_stages_what_a_listing_stages_through_every_change(streamed, listed):
    zone = streamed
    zone.put(f"{FEED}.yaml", "received_on: arrival\nfiles: '**/*.[ac]*'\n")
    zone.claims("a.csv", "A,2023-01-05", "B,1999-01-05", "C,bad")
    zone.claims("2023/b c%20ü#.csv", "D,2023-02-05")
    zone.put(f"{FEED}/notes.txt", "left out by the mapping")
    zone.put(f"{FEED}/_SUCCESS", "")
    zone.put(f"{FEED}/.hidden.csv", "no file of ours")
    avro(zone.landing / FEED / "month=2023-03.avro", "E,M1,2023-03-05,2023-03-05")
    found, expected = both(streamed, listed)
    assert found == expected and len(found.new) == 3
    assert held(streamed) == held(listed)

    late = zone.claims("z/late.csv", "F,2023-01-07")
    zone.claims("a.csv", "A,2023-04-05", "B,2023-05-05")
    (zone.landing / FEED / "month=2023-03.avro").unlink()
    zone.claims("copy.csv", "D,2023-02-05")
    zone.put(f"{FEED}/broken.csv", f"{CLAIMS}\nG,M1,2023-01-05,2023-01-05\nH,M1,2023-01-05,2023-01-05,one,too,many\n")
    found, expected = both(streamed, listed, latest="2025-01")
    assert found == expected
    assert (len(found.new), len(found.changed), len(found.removed), len(found.duplicates)) == (3, 1, 1, 1)
    assert [len(part) for part in held(streamed)] == [5, 1, 5] and held(streamed) == held(listed)

    late.unlink()
    both(streamed, listed)
    zone.claims("z/late.csv", "F,2023-01-08")
    zone.put(f"{FEED}.yaml", "files: '**/*.csv'\n")
    found, expected = both(streamed, listed)
    assert found == expected and held(streamed) == held(listed)
    assert both(streamed, listed)[0].unchanged == len(inventory.read(streamed.lake, FEED))


def test_an_optional_feed_may_be_absent_and_come_later(streamed, listed):
    assert both(streamed, listed, "pharmacy_claims")[0].seen == 0
    streamed.put("pharmacy_claims/f.csv", f"{FILL}A,M1,2023-01-05,00093721410\n")
    found, expected = both(streamed, listed, "pharmacy_claims")
    assert found == expected and held(streamed, "pharmacy_claims") == held(listed, "pharmacy_claims")


def test_a_mandatory_feed_without_files_is_the_same_sentence(streamed):
    with pytest.raises(LandingError, match="No file under"):
        streamed.refresh(files_of=loader(streamed).files_by_path)


def test_a_file_of_no_bytes_stages_nothing_and_is_not_met(streamed):
    """Spark's streams pass over such files; a listing records them as empty."""
    streamed.claims("a.csv", "A,2023-01-05")
    streamed.put(f"{FEED}/empty.csv", "")
    found = streamed.refresh(files_of=loader(streamed).files_by_path)
    assert (found.seen, found.empty, streamed.ids()) == (1, (), ["A"])


def test_the_stream_reads_no_content(streamed, of_spark):
    streamed.claims("a.csv", "A,2023-01-05")
    of_spark.conf.set("spark.sql.sources.binaryFile.maxLength", "1")
    try:
        assert streamed.refresh(files_of=loader(streamed).files_by_path).rows_staged == 1
    finally:
        of_spark.conf.unset("spark.sql.sources.binaryFile.maxLength")


def noted(zone: Zone, spark) -> list[str]:
    frame = spark.read.format("delta").load(str(loader(zone).streams / FEED))
    return sorted(Path(row.path).name for row in frame.collect())


def test_a_crash_of_the_stream_between_its_batch_and_its_commit_notes_a_file_once(streamed, listed, of_spark):
    streamed.claims("a.csv", "A,2023-01-05")
    both(streamed, listed)
    streamed.claims("b.csv", "B,2023-01-05")
    loader(streamed).files_by_path(streamed.landing, FEED, Mapping(FEED))
    commits = loader(streamed).streams / FEED / auto_loader.CHECKPOINT / "commits"
    for path in (commits / "1", commits / ".1.crc"):
        path.unlink()
    streamed.claims("c.csv", "C,2023-01-05")
    found, expected = both(streamed, listed)
    assert noted(streamed, of_spark) == ["a.csv", "b.csv", "c.csv"]
    assert found == expected and held(streamed) == held(listed) and streamed.ids() == ["A", "B", "C"]


def test_a_process_killed_before_the_stage_is_committed_loses_and_repeats_nothing(streamed, listed):
    streamed.claims("a.csv", "A,2023-01-05", "B,bad")
    command = [sys.executable, "-c", DIES_BEFORE_THE_COMMIT, str(streamed.landing.parent)]
    done = subprocess.run([*command, str(settings_from_environment().spark_jars)], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()[-2000:]
    assert not inventory.exists(streamed.lake)
    found, expected = both(streamed, listed)
    assert found == expected and held(streamed) == held(listed) and streamed.ids() == ["A"]


def test_a_crash_before_the_inventory_means_reading_again_and_no_row_twice(streamed, listed, monkeypatch):
    streamed.claims("a.csv", "A,2023-01-05")

    def crash(*_):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(inventory, "write", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            streamed.refresh(files_of=loader(streamed).files_by_path)
    both(streamed, listed)
    assert (streamed.ids(), streamed.staged()) == (["A"], listed.staged())


def test_a_lost_stream_is_begun_again_and_changes_nothing(streamed, listed):
    streamed.claims("a.csv", "A,2023-01-05")
    both(streamed, listed)
    version = streamed.version()
    shutil.rmtree(loader(streamed).streams)
    assert both(streamed, listed)[0].unchanged == 1
    assert streamed.version() == version


def test_a_landing_folder_that_moved_is_one_sentence(streamed):
    streamed.claims("a.csv", "A,2023-01-05")
    streamed.refresh(files_of=loader(streamed).files_by_path)
    streamed.landing = streamed.landing.rename(streamed.landing.with_name("moved"))
    with pytest.raises(LandingError, match=r"was over another folder than .*moved/medical_claims: remove .*streams"):
        streamed.refresh(files_of=loader(streamed).files_by_path)


def test_elsewhere_than_on_databricks_auto_loader_is_one_sentence(streamed, monkeypatch):
    monkeypatch.undo()
    streamed.claims("a.csv", "A,2023-01-05")
    with pytest.raises(LandingError, match=r"Auto Loader could not look .*cloudFiles.*unset CLAIMS_INGESTION\.$"):
        streamed.refresh(files_of=loader(streamed).files_by_path)


def test_the_landing_assets_tell_the_same_either_way(streamed, listed):
    streamed.claims("a.csv", "A,2023-01-05", "B,1999-01-05")
    streamed.put("member_eligibility/m.csv", "member_id,effective_date\nM1,2023-01-01\n")

    def run(zone: Zone, **fields):
        months = {"start_month": "2022-01", "arrival_month": "2024-12"}
        resource = LandingZone(folder=str(zone.landing), lake_root=str(zone.lake), **months, **fields)
        return dg.materialize(landing_assets, resources={"landing": resource, **computes_for(None)})

    for _ in range(2):
        one, other = run(streamed, streams=str(loader(streamed).streams)), run(listed)
        for node in ("landing__medical_claims", "landing__pharmacy_claims"):
            told = [r.asset_materializations_for_node(node)[0].metadata for r in (one, other)]
            assert told[0] == told[1]
        streamed.claims("b.csv", "C,2023-02-05")
    assert held(streamed) == held(listed)
