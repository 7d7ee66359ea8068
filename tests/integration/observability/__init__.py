"""What observes, on real connections."""
