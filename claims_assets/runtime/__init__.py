"""Where and how the graph runs: engine, lake, provider database, model tracking. No claims rule lives here."""
