-- A public facility list -> the columns that `claims providers load` knows. DuckDB; give two variables first:
--     SET VARIABLE facilities = 'the list, CSV';  SET VARIABLE providers = 'CSV to write';
-- The list has no id of its own: neither its NPI nor its CMS certification number is filled and unique. So a row's
-- id is its NPI and a running number among the rows that share it.
COPY (
    SELECT
        npi || '-' || row_number() OVER (PARTITION BY npi ORDER BY name, address, city, state, zip, provider_num) AS provider_id,
        name AS provider_name,
        provider_type_code AS provider_type,
        npi,
        address AS address_line1,
        city,
        state,
        zip AS zip_code
    FROM read_csv(getvariable('facilities'), header = true, all_varchar = true)
    ORDER BY provider_id
) TO (getvariable('providers'));

SELECT count(*) AS rows, count(DISTINCT npi) AS npis, count(DISTINCT provider_id) AS provider_ids
FROM read_csv(getvariable('providers'), all_varchar = true);
