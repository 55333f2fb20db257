"""What the provisioner makes for a PVC: the PV, and the directory on the export."""
