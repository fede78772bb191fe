-- Rows that are read together lie together. On the lake itself: the tables of the catalog are copies, and follow.
optimize delta.`${lake}/bronze/medical_claims` zorder by (member_id, claim_date);
optimize delta.`${lake}/silver/medical_claims` zorder by (member_id, claim_date);
optimize delta.`${lake}/silver/pharmacy_claims` zorder by (member_id, fill_date);
optimize delta.`${lake}/gold/member_features` zorder by (member_id);
optimize delta.`${lake}/gold/member_risk_predictions` zorder by (member_id);
