"""What any StorageClass for a database must keep, seen through pods that mount its volumes."""
