"""Ways in which the provisioner surprises its users, each shown where nothing can be lost."""
