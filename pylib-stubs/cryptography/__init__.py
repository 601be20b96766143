"""The little of the package `cryptography` that WPT's handlers use: SHA-256, and RSA signatures after PKCS #1 v1.5.

The device-bound-session helpers verify JSON Web Tokens with it. Plain Python on big integers and hashlib: what is signed
and verified here are tests' own tokens, so nothing is done against side channels, and nothing else of the package is here.
"""
