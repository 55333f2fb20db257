"""The audit: looks at manifests or a cluster, changes nothing, and says what endangers data."""
