"""Jobs, schedules, sensors and guards."""
