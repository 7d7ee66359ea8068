"""What LiveKit Cloud does where the design only assumes it. Runs only with the credentials of a project; see docs/how-to."""
