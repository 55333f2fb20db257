"""Which PVC binds to which PV: a pure model of Kubernetes' rules, and trials on a cluster."""
