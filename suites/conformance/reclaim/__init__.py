"""What becomes of a volume and its data once its claim is deleted."""
