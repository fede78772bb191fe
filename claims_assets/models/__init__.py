"""Risk models: trained on the past only, registered in MLflow."""
