-- Names of teams that speak of patients: the same rows as silver.members, one row a patient and version.
create or replace view ${catalog}.healthcare_data.dim_patients
comment 'Patients over time (silver.members): one row a patient and version, exactly one with is_current_record.'
as select
  member_id as patient_natural_key,
  member_id,
  effective_from,
  effective_to,
  is_current_record,
  birth_date,
  gender,
  race,
  ethnicity,
  zip_code,
  county,
  language,
  eligibility_category,
  aid_category,
  dual_eligible,
  ltss_indicator,
  smoker,
  bmi,
  household_id,
  death_date,
  enrolled_through
from ${catalog}.silver.members;

create or replace view ${catalog}.healthcare_data.silver_patients
comment 'Patients as they stand (silver.members): one row a patient.'
as select
  member_id as patient_natural_key,
  member_id,
  birth_date,
  gender,
  race,
  ethnicity,
  zip_code,
  county,
  language,
  eligibility_category,
  aid_category,
  dual_eligible,
  ltss_indicator,
  smoker,
  bmi,
  household_id,
  death_date,
  enrolled_through
from ${catalog}.silver.members
where is_current_record;
