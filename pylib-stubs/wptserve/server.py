"""`wptserve.server` (wptserve 4.0.3, server.py): the part that handlers see."""

from collections import OrderedDict

from wptserve.constants import h2_headers
from wptserve.utils import isomorphic_decode


class H2Headers(dict):
    """The header fields of an HTTP/2 request as text, pseudo-header fields without their colon. Of a field that is there
    several times the last value counts. `raw_headers` has the names as they came."""

    def __init__(self, headers):
        self.raw_headers = OrderedDict((isomorphic_decode(name), isomorphic_decode(value)) for name, value in headers)
        for name, value in self.raw_headers.items():
            is_pseudo = name[:1] == ":" and name[1:] in h2_headers
            self[name[1:] if is_pseudo else name] = value

    def getallmatchingheaders(self, header):
        """A text without information, as in wptserve."""
        return ["dummy function"]


__all__ = ["H2Headers"]
