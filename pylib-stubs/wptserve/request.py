"""`wptserve.request` (wptserve 4.0.3, request.py): the classes behind `request`, all of them native."""

from _wptserve import (
    Authentication,
    Cookies,
    CookieValue,
    H2Request,
    InputFile,
    MultiDict,
    Request,
    RequestHeaders,
    Server,
)

__all__ = [
    "Authentication",
    "CookieValue",
    "Cookies",
    "H2Request",
    "InputFile",
    "MultiDict",
    "Request",
    "RequestHeaders",
    "Server",
]
