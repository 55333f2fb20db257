"""Which claim binds which volume: a pure model of Kubernetes' rules, and what they expect."""
