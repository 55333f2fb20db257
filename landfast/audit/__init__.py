"""The audit: reads manifests or a cluster, changes nothing, and reports what endangers data."""
