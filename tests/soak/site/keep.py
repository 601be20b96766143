"""What leak.py keeps: the module lives as long as the process."""

KEPT = []
