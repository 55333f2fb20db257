"""Which PVC binds to which PV: the rules one by one, and generated binding cases."""
