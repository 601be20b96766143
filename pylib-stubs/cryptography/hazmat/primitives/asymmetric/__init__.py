"""See `cryptography`."""
