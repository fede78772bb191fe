"""What was known of a member at the end of an as-of month."""
