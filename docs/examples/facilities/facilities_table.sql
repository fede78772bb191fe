-- The facility list as a PostgreSQL table in its own layout, for `psql`, with an id that the list itself does not have.
CREATE TABLE facilities (
    provider_num text,
    npi text,
    name text,
    address text,
    city text,
    state text,
    zip text,
    fips_county text,
    lat text,
    lon text,
    phone text,
    provider_type_code text,
    category text,
    emergency text,
    upin text,
    pin text,
    region_code text,
    bed_count text,
    clia_lab_number text
);
\copy facilities FROM pstdin WITH (FORMAT csv, HEADER match)
ALTER TABLE facilities ADD COLUMN facility_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
