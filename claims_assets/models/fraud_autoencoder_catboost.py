"""What is usual of each feature of a claim, given all others, by catboost; registered by feature.

Registered as `fraud_detector_catboost_{feature}`. An extra: without catboost installed nothing is trained, and the
run says so.
"""

from claims_assets.models.fraud_training import fraud_asset

fraud_autoencoder_catboost = fraud_asset("catboost", __doc__)
