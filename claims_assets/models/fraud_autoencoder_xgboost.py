"""What is usual of each feature of a claim, given all others, by xgboost; registered by feature.

Registered as `fraud_detector_xgboost_{feature}`.
"""

from claims_assets.models.fraud_training import fraud_asset

fraud_autoencoder_xgboost = fraud_asset("xgboost", __doc__)
