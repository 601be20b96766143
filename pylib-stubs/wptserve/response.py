"""`wptserve.response` (wptserve 4.0.3, response.py): the classes behind `response`, all of them native."""

from _wptserve import H2Response, H2ResponseWriter, Response, ResponseHeaders, ResponseWriter

__all__ = ["H2Response", "H2ResponseWriter", "Response", "ResponseHeaders", "ResponseWriter"]
