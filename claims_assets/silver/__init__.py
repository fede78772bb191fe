"""Claims that stand, members, member months, providers and vaccine doses, cleaned and in one vocabulary."""
