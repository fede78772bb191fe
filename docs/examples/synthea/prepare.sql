-- Synthea CSV export (version 3) -> landing folder. Only what needs a second file is done here: which line a payment
-- belongs to and who made it, which line is a drug, when a payer covered a patient. Names and words are left to the YAML
-- files beside this one. DuckDB; give two variables first:
--     SET VARIABLE synthea = 'folder of the CSV files';  SET VARIABLE landing = 'landing folder';

CREATE MACRO synthea_csv(name) AS TABLE
    SELECT * FROM read_csv(getvariable('synthea') || '/' || name || '.csv', header = true, all_varchar = true);

-- Every transaction with the line it belongs to and the party that owes. A CHARGE opens a line of its claim, and what
-- follows it is about that line. It says who owes, and TRANSFERIN passes that on: 1 and 2 a payer, p the patient.
CREATE TEMP TABLE transactions AS
SELECT
    *,
    count(*) FILTER (TYPE = 'CHARGE') OVER so_far AS line_number,
    last_value(CASE WHEN TYPE IN ('CHARGE', 'TRANSFERIN') THEN TRANSFERTYPE END IGNORE NULLS) OVER so_far AS owed_by
FROM synthea_csv('claims_transactions')
WINDOW so_far AS (PARTITION BY CLAIMID ORDER BY CHARGEID::BIGINT ROWS UNBOUNDED PRECEDING);

-- A copay is the patient's, whoever owes.
CREATE TEMP TABLE payments AS
SELECT
    CLAIMID,
    line_number,
    sum(PAYMENTS::DECIMAL(18, 2)) FILTER (owed_by IN ('1', '2') AND METHOD IS DISTINCT FROM 'COPAY') AS paid_by_payers,
    sum(PAYMENTS::DECIMAL(18, 2)) FILTER (owed_by = 'p' OR METHOD = 'COPAY') AS paid_by_patient
FROM transactions
WHERE TYPE = 'PAYMENT'
GROUP BY CLAIMID, line_number;

CREATE TEMP TABLE lines AS
SELECT
    charge.CLAIMID,
    charge.line_number,
    charge.PATIENTID,
    charge.FROMDATE,
    charge.TODATE,
    charge.PROCEDURECODE,
    charge.UNITS,
    charge.NOTES,
    charge.AMOUNT::DECIMAL(18, 2) AS AMOUNT,
    coalesce(paid_by_payers, 0) AS paid_by_payers,
    coalesce(paid_by_patient, 0) AS paid_by_patient,
    claim.* EXCLUDE (Id, PATIENTID),
    drug.DISPENSES,
    drug.days_supply,
    drug.ENCOUNTER IS NOT NULL AS is_drug
FROM transactions AS charge
JOIN synthea_csv('claims') AS claim ON claim.Id = charge.CLAIMID
LEFT JOIN payments USING (CLAIMID, line_number)
-- Synthea bills a prescription once, on its first day, at the price of one of its DISPENSES.
LEFT JOIN (
    SELECT
        ENCOUNTER,
        CODE,
        START,
        sum(DISPENSES::INT)::INT AS DISPENSES,
        -- An open prescription has no last day, so nobody can say how long one of its fills lasts.
        CASE WHEN count(STOP) = count(*) THEN
            greatest(1, date_diff('day', START::TIMESTAMP, max(STOP::TIMESTAMP)) // sum(DISPENSES::INT)::INT)
        END AS days_supply
    FROM synthea_csv('medications')
    GROUP BY ENCOUNTER, CODE, START
) AS drug
    ON drug.ENCOUNTER = claim.APPOINTMENTID AND drug.CODE = charge.PROCEDURECODE AND drug.START = charge.FROMDATE
WHERE charge.TYPE = 'CHARGE';

COPY (
    SELECT
        lines.* EXCLUDE (is_drug, DISPENSES, days_supply),
        encounter.ENCOUNTERCLASS,
        CASE WHEN ENCOUNTERCLASS = 'inpatient' THEN encounter.START END AS admitted,
        CASE WHEN ENCOUNTERCLASS = 'inpatient' THEN encounter.STOP END AS discharged
    FROM lines
    LEFT JOIN synthea_csv('encounters') AS encounter ON encounter.Id = lines.APPOINTMENTID
    WHERE NOT is_drug
    ORDER BY FROMDATE, CLAIMID, line_number
) TO (getvariable('landing') || '/medical_claims/synthea.parquet');

COPY (
    SELECT CLAIMID, PATIENTID, PROVIDERID, FROMDATE, PROCEDURECODE, NOTES, DISPENSES, days_supply, AMOUNT,
        paid_by_payers, paid_by_patient, STATUS1
    FROM lines
    WHERE is_drug
    ORDER BY FROMDATE, CLAIMID
) TO (getvariable('landing') || '/pharmacy_claims/synthea.parquet');

-- A span without insurance is no enrolment.
COPY (
    SELECT span.START_YEAR, span.END_YEAR, payer.NAME AS payer_name, span.OWNERNAME, patient.*
    FROM synthea_csv('payer_transitions') AS span
    JOIN synthea_csv('patients') AS patient ON patient.Id = span.PATIENT
    JOIN synthea_csv('payers') AS payer ON payer.Id = span.PAYER
    WHERE payer.NAME <> 'NO_INSURANCE'
    ORDER BY patient.Id, span.START_YEAR
) TO (getvariable('landing') || '/member_eligibility/synthea.csv');

COPY (FROM synthea_csv('immunizations')) TO (getvariable('landing') || '/immunizations/synthea.csv');
COPY (FROM synthea_csv('providers')) TO (getvariable('landing') || '/providers/synthea.csv');

-- What there was, and what was written of it; all that is left out are spans without insurance.
SELECT 'claim lines' AS what, (SELECT count(*) FROM synthea_csv('claims_transactions') WHERE TYPE = 'CHARGE') AS read,
    (SELECT count(*) FROM lines) AS written
UNION ALL
SELECT 'payments, USD', (SELECT sum(PAYMENTS::DECIMAL(18, 2)) FROM synthea_csv('claims_transactions')),
    (SELECT sum(paid_by_payers + paid_by_patient) FROM lines)
UNION ALL
SELECT 'drugs', (SELECT count(*) FROM synthea_csv('medications')), (SELECT count(*) FROM lines WHERE is_drug)
UNION ALL
SELECT 'enrolment spans', (SELECT count(*) FROM synthea_csv('payer_transitions')),
    (SELECT count(*) FROM read_csv(getvariable('landing') || '/member_eligibility/synthea.csv', all_varchar = true));
