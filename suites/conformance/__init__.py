"""What must hold while nothing is broken."""
