"""The provisioner: its contract, as a pure model, and volumes made by it."""
