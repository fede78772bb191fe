"""What the contracts found, by table and month."""
