"""The mapping files of the profile `third_party`: foreign column names to landing contract v1, as users write them."""

CLAIMS = """\
# Header-level claims of a foreign extract: one row a claim, no charges, dates as YYYYMMDD.
rename:
  BENE_ID: member_id
  CLM_ID: claim_id
  NCH_CLM_TYPE_CD: claim_type
  CLM_FROM_DT: service_from_date
  CLM_THRU_DT: service_to_date
  NCH_WKLY_PROC_DT: claim_date
  CLM_ADMSN_DT: admit_date
  NCH_BENE_DSCHRG_DT: discharge_date
  CLM_PMT_AMT: paid_amount
  AT_PHYSN_NPI: provider_id
  CLM_DRG_CD: drg_code
  ICD9_DGNS_CD_1: diagnosis_code_1
  ICD9_DGNS_CD_2: diagnosis_code_2
  ICD9_DGNS_CD_3: diagnosis_code_3
  ICD9_DGNS_CD_4: diagnosis_code_4
  ICD9_DGNS_CD_5: diagnosis_code_5
  ICD9_DGNS_CD_6: diagnosis_code_6
  ICD9_DGNS_CD_7: diagnosis_code_7
  ICD9_DGNS_CD_8: diagnosis_code_8
  HCPCS_CD_1: procedure_code_1
  HCPCS_CD_2: procedure_code_2
constants:
  claim_status: PAID
  claim_line_number: '1'
date_format: '%Y%m%d'
value_map:
  claim_type: {'60': IP, '40': OP, '71': PROF, '20': LTC}
"""
EVENTS = """\
# Prescription drug events; the total cost stands for what was paid.
rename:
  BENE_ID: member_id
  PDE_ID: claim_id
  SRVC_DT: fill_date
  PROD_SRVC_ID: ndc_code
  QTY_DSPNSD_NUM: quantity
  DAYS_SUPLY_NUM: days_supply
  PTNT_PAY_AMT: member_copay
  TOT_RX_CST_AMT: paid_amount
constants:
  claim_status: PAID
date_format: '%Y%m%d'
"""
SUMMARIES = """\
# Yearly beneficiary summaries: one row a beneficiary and year.
rename:
  BENE_ID: member_id
  CVRG_BGN_DT: effective_date
  CVRG_END_DT: term_date
  BENE_BIRTH_DT: birth_date
  BENE_DEATH_DT: death_date
  BENE_SEX_IDENT_CD: gender
  BENE_RACE_CD: race
  BENE_COUNTY_CD: county
date_format: '%Y%m%d'
value_map:
  gender: {'1': M, '2': F}
  race: {'1': White, '2': Black, '3': Other, '5': Hispanic}
"""
MAPPINGS = {"medical_claims": CLAIMS, "pharmacy_claims": EVENTS, "member_eligibility": SUMMARIES}
"""Feed -> text of its YAML file."""
