"""Tells people: the sinks behind the alerting port."""
