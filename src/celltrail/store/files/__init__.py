"""Files as a trail needs them: private, whole or absent, on disks and networks; and who holds which."""
