"""What becomes of a volume and its data after its PVC is deleted."""
