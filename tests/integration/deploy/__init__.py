"""What runs Rollcall, tried out as far as it can be without an engine for containers."""
