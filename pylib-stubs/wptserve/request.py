"""`wptserve.request` (wptserve 4.0.3, request.py): the classes behind `request`, native ones all."""

from _wptserve import InputFile, MultiDict, RequestHeaders  # noqa: F401
