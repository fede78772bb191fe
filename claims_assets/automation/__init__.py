"""When something runs, and when it must not: jobs, schedules, sensors, and the two guards of a table's step."""
