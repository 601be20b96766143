"""`wptserve.response` (wptserve 4.0.3, response.py): the classes behind `response`, native ones all."""

from _wptserve import Response, ResponseHeaders, ResponseWriter

__all__ = ["Response", "ResponseHeaders", "ResponseWriter"]
