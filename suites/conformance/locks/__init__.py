"""Protection: what keeps volumes that are in use, what may not change, who may mount what."""
