"""`wptserve.pipes` (wptserve 4.0.3, pipes.py): the pipes that a URL can ask for, for handlers that apply them themselves."""

from _wptserve import Pipeline, gzip, header, slice, status, sub, template, trickle

__all__ = ["Pipeline", "gzip", "header", "slice", "status", "sub", "template", "trickle"]
