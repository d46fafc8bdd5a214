"""Settings of every test run: hypothesis finds the same examples each time and leaves no database behind."""

import hypothesis

hypothesis.settings.register_profile("tests", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("tests")
