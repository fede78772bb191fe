"""May a trained model score, and may it replace the one that does? Pure functions of held-out rows and measures."""
