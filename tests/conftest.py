"""Landfast's own tests: the same examples everywhere, and no deadline on a machine that is busy."""

import hypothesis

hypothesis.settings.register_profile("landfast", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("landfast")
