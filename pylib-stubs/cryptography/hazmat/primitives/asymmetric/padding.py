"""`cryptography.hazmat.primitives.asymmetric.padding`: PKCS #1 v1.5."""


class PKCS1v15:
    """The padding of RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2)."""

    name = "EMSA-PKCS1-v1_5"
