"""The lake under Unity Catalog names: tables that are copied from it, keys and views on them, order in their files."""
