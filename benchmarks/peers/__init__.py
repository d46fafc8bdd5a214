"""The same things as other libraries compute them, each in the fastest form found; a missing library is skipped."""
