"""Which claim binds which volume: the rules one by one, and generated scenarios."""
