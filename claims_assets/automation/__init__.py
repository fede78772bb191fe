"""What runs the graph and watches it: jobs, schedules, sensors."""
