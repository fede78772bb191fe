"""Mappings: what a YAML may say, the sentence for what it may not, and ready mappings under a user's own keys."""

import pytest

from claims_assets.sources.feeds import FEEDS
from claims_assets.sources.mapping import READY, Mapping, MappingError, ready_names
from claims_assets_tests.sources.zone import Zone


@pytest.fixture
def load(tmp_path):
    def write(yaml, feed="medical_claims"):
        (tmp_path / f"{feed}.yaml").write_text(yaml)
        return Mapping.load(tmp_path, feed)

    return write


def test_without_a_file_names_are_those_of_the_contract(tmp_path):
    assert Mapping.load(tmp_path, "medical_claims") == Mapping("medical_claims")


def test_an_empty_file_says_nothing(load):
    assert load("# nothing\n") == Mapping("medical_claims")


def test_words_and_numbers_stay_the_text_they_are(load):
    mapping = load(
        "rename: {NO: claim_id, 01: member_id}\n"
        "constants: {claim_status: NO, place_of_service: 011, claim_line_number: 1_0}\n"
        "value_map: {claim_type: {on: IP, 01: OP, 1: ER, ~: PROF, 1e3: LTC}}\n"
        "received_on: {constant: 2024-01}\n"
    )
    assert mapping.rename == {"NO": ("claim_id",), "01": ("member_id",)}
    assert mapping.constants == {"claim_status": "NO", "place_of_service": "011", "claim_line_number": "1_0"}
    assert mapping.value_map == {"claim_type": {"on": "IP", "01": "OP", "1": "ER", "~": "PROF", "1e3": "LTC"}}
    assert mapping.received_on.constant == "2024-01"


def test_one_date_format_holds_for_all_dates_of_the_feed(load):
    assert set(load("date_format: '%Y%m%d'").date_format) == FEEDS["medical_claims"].date_columns
    assert FEEDS["outreach_contacts"].date_columns == {"contacted_at"}, "a month of a list is no date"
    assert FEEDS["fraud_labels"].date_columns == {"decided_at"}


MISTAKES = [
    ("colour: red", "unknown key 'colour': use use, files"),
    ("- a\n- b", "not a map of keys to values"),
    ("rename: {A: claim_idd}", "rename: medical_claims has no column 'claim_idd': use one of claim_id"),
    ("rename: {A: [claim_id, nope]}", "rename: medical_claims has no column 'nope'"),
    ("rename: {A: claim_id, B: claim_id}", "rename: 'A' and 'B' both become claim_id: keep one"),
    ("rename: {A: claim_id}\nconstants: {claim_id: x}", "constants: claim_id already comes from 'A'"),
    ("rename: {A: claim_id}\ndrop: [A]", "drop: 'A' is renamed and dropped"),
    ("rename: {A: claim_id, A: member_id}", "line 1: not usable YAML \\(the key 'A' stands twice\\)"),
    ("rename: [A]", "rename: not a list of `name: value` pairs"),
    ("rename: {A: {b: c}}", "rename: medical_claims has no column {'b': 'c'}"),
    ("constants: {claim_status: [PAID]}", "constants: the value of 'claim_status' is not a single text"),
    ("constants: {status: PAID}", "constants: medical_claims has no column 'status'"),
    ("value_map: {claim_status: PAID}", "value_map: claim_status: not a list of `name: value` pairs"),
    ("value_map: {nope: {a: b}}", "value_map: medical_claims has no column 'nope'"),
    ("date_format: '%Y%m'", "date_format: '%Y%m' does not say year, month and day"),
    ("date_format: yyyymmdd", "date_format: 'yyyymmdd' does not say year, month and day"),
    ("date_format: {claim_id: '%Y%m%d'}", "date_format: claim_id is no date: use one of admit_date"),
    ("date_format: {claim_date: '%Q'}", "date_format: '%Q' does not say year, month and day"),
    ("received_on: tomorrow", "received_on: write {column: NAME}"),
    ("received_on: {column: A, constant: 2024-01}", "received_on: write {column: NAME}"),
    ("received_on: {constant: 2024-13}", "received_on: constant '2024-13' is no month"),
    ("received_on: {file_name: '('}", r"received_on: file_name '\(' is no regular expression .*: correct it"),
    ("received_on: {file_name: 'x'}", "received_on: file_name 'x' has 0 groups: put exactly one pair of parentheses"),
    ("received_on: {column: A, date_format: '%H'}", "received_on: date_format: '%H' does not say year"),
    ("drop: SSN", "drop: not a list of column names: write it as"),
    ("delimiter: '||'", "delimiter: '||' is not one character"),
    ("files: /etc/*", "files: '/etc/\\*' is no pattern below the feed's folder"),
    ("files: ../x", "files: '../x' is no pattern below the feed's folder"),
    ("table: providers", "table: only providers are read from a database"),
    ("use: nonsense", "use: there is no ready mapping 'nonsense': use one of cms_synpuf_inpatient, .*kardia_claims"),
    ("use: kardia_patients", "use: kardia_patients.yaml: rename: medical_claims has no column 'birth_date'"),
    ("rename: {A: claim_id", "line [12]: not usable YAML"),
    ("? [a]\n: b", "line 1: not usable YAML \\(a key that is not a single word\\)"),
]


@pytest.mark.parametrize(("yaml", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence_with_file_key_and_remedy(load, yaml, sentence):
    with pytest.raises(
        MappingError if "YAML" not in sentence else ValueError, match=rf"^medical_claims\.yaml.*{sentence}"
    ) as error:
        load(yaml)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_the_fingerprint_follows_the_meaning_and_not_the_writing(load):
    first = load("rename: {A: claim_id, B: member_id}\n").fingerprint
    assert load("# why\nrename:\n  B: member_id\n  A: [claim_id]\nfiles: '*.csv'\n").fingerprint == first
    assert load("rename: {A: member_id, B: claim_id}").fingerprint != first


def test_own_keys_go_before_those_of_a_ready_mapping(load):
    mapping = load(
        "use: kardia_claims\n"
        "rename: {Day: [claim_date, service_from_date], ClaimSubmissionMethod: bill_type_code}\n"
        "constants: {paid_amount: '0'}\n"
        "value_map: {claim_status: {Paid: PAID, Pending: DENIED}}\n"
    )
    assert mapping.rename["ClaimAmount"] == ("billed_amount",)
    assert "ClaimDate" not in mapping.rename
    assert mapping.constants == {"paid_amount": "0"}
    assert mapping.value_map["claim_status"] == {
        "Approved": "PAID",
        "Denied": "DENIED",
        "Pending": "DENIED",
        "Paid": "PAID",
    }
    assert mapping.own == {"Day", "ClaimSubmissionMethod"}


def test_a_column_that_a_ready_mapping_drops_may_be_renamed(load):
    mapping = load("use: kardia_patients\nrename: {ADDRESS: county}\n", "member_eligibility")
    assert "ADDRESS" not in mapping.drop and "SSN" in mapping.drop


def test_every_ready_mapping_has_a_test():
    assert ready_names() == [
        "cms_synpuf_inpatient",
        "cms_synpuf_outpatient",
        "kardia_claims",
        "kardia_patients",
        "kardia_providers",
    ]
    assert READY.is_dir()


def test_kardia_claims_in_avro(tmp_path):
    import fastavro

    zone = Zone(tmp_path)
    names = (
        "ClaimID PatientID ProviderID ClaimAmount ClaimDate DiagnosisCode ProcedureCode ClaimStatus ClaimType"
        " ClaimSubmissionMethod"
    )
    fields = [{"name": n, "type": ["null", "double" if n == "ClaimAmount" else "string"]} for n in names.split()]
    values = ["c1", "p1", "d1", 3807.95, "2024-06-07", "yy006", "hd662", "Approved", "Routine", "Paper"]
    path = zone.put("medical_claims/claims_10.avro", b"")
    with path.open("wb") as file:
        fastavro.writer(
            file, {"type": "record", "name": "claim", "fields": fields}, [dict(zip(names.split(), values, strict=True))]
        )
    zone.put("medical_claims.yaml", "use: kardia_claims\n")
    zone.refresh()
    (row,) = zone.staged()
    wanted = {
        "claim_id": "c1",
        "member_id": "p1",
        "provider_id": "d1",
        "claim_date": "2024-06-07",
        "service_from_date": "2024-06-07",
        "billed_amount": "3807.95",
        "paid_amount": "3807.95",
        "allowed_amount": None,
        "diagnosis_code_1": "yy006",
        "procedure_code_1": "hd662",
        "claim_status": "PAID",
        "claim_type": "PROF",
        "claim_month": "2024-06",
        "_rescued_data": '{"ClaimSubmissionMethod":"Paper"}',
    }
    assert {k: row[k] for k in wanted} == wanted
    assert '"ClaimStatus":"Approved"' in row["_raw"]


def test_kardia_patients_become_eligibility_without_their_identifiers(tmp_path):
    zone = Zone(tmp_path)
    header = (
        "ID,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,GENDER"
        ",BIRTHPLACE,ADDRESS"
    )
    zone.put(
        "member_eligibility/p.csv",
        f"{header}\np1,1980-02-03,,999-17,S99,X7,Mr.,Ann,Lee,,Roe,M,white,irish,F,Boston,1 Elm St\n",
    )
    zone.put("member_eligibility.yaml", "use: kardia_patients\nconstants: {effective_date: 2022-01-01}\n")
    zone.refresh("member_eligibility")
    (row,) = zone.staged("member_eligibility")
    wanted = ("p1", "2022-01-01", "1980-02-03", "F", "white", "irish", '{"MARITAL":"M"}')
    columns = ("member_id", "effective_date", "birth_date", "gender", "race", "ethnicity", "_rescued_data")
    assert tuple(row[c] for c in columns) == wanted


@pytest.mark.parametrize(("name", "kind"), [("cms_synpuf_outpatient", "OP"), ("cms_synpuf_inpatient", "IP")])
def test_synpuf_claims(tmp_path, name, kind):
    zone = Zone(tmp_path)
    header = (
        "DESYNPUF_ID,CLM_ID,SEGMENT,CLM_FROM_DT,CLM_THRU_DT,CLM_PMT_AMT,AT_PHYSN_NPI,ICD9_DGNS_CD_1,HCPCS_CD_1"
        ",ICD9_PRCDR_CD_1"
    )
    zone.put(
        "medical_claims/x.csv",
        f"{header}\n00013D2EFD8E45D1,542192281063886,1,20080904,20080905,50.00,4824842417,V5841,99213,8151\n",
    )
    zone.put("medical_claims.yaml", f"use: {name}\n")
    zone.refresh(start="2008-01")
    (row,) = zone.staged()
    columns = ("member_id", "service_from_date", "service_to_date", "diagnosis_code_1", "claim_type", "_rescued_data")
    wanted = ("00013D2EFD8E45D1", "2008-09-04", "2008-09-05", "V5841", kind, '{"ICD9_PRCDR_CD_1":"8151"}')
    assert tuple(row[c] for c in columns) == wanted
