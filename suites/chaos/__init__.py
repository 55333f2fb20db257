"""What becomes of MySQL's data, and of its clients, when something breaks."""
