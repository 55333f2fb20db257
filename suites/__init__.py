"""The suites: tests that prove claims on a cluster."""
