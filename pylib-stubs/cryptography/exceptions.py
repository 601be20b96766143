"""`cryptography.exceptions`, as far as handlers can meet them."""


class InvalidSignature(Exception):
    """The signature does not belong to the data."""


class UnsupportedAlgorithm(Exception):
    """An algorithm, padding or format that is not here."""
