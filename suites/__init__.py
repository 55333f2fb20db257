"""The suites: tests that prove the claims of `claims.yaml` on a cluster."""
