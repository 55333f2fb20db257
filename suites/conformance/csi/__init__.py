"""What becomes of the volumes of a class that csi-driver-nfs provisions."""
