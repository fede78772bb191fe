-- A table in Unity Catalog with a primary key is a feature table. No TIMESERIES: the service wants a date or timestamp
-- for it, and `claim_month` is the text YYYY-MM; look features up by member and month.
alter table ${catalog}.gold.member_features alter column member_id set not null;
alter table ${catalog}.gold.member_features alter column claim_month set not null;
alter table ${catalog}.gold.member_features drop primary key if exists;
alter table ${catalog}.gold.member_features add constraint member_features_key primary key (member_id, claim_month);
