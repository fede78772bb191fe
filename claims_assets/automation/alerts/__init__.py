"""Alerts: what is wrong now, told once to the people who can mend it (docs/alerts.md)."""
