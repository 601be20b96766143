"""`wptserve.pipes` (wptserve 4.0.3, pipes.py): not there yet. Pipes named in a URL are run by the server itself."""

__all__ = ["Pipeline", "sub", "template"]


def template(request, content, escape_type="html"):
    """Replaces `{{...}}` in `content`."""
    raise NotImplementedError("wptserve.pipes.template is not implemented")


def sub(request, response, escape_type="html"):
    """Replaces `{{...}}` in the content of the response."""
    raise NotImplementedError("wptserve.pipes.sub is not implemented")


class Pipeline:
    """The pipes of a string such as `sub(none)|trickle(d1)`."""

    def __init__(self, pipe_string):
        raise NotImplementedError("wptserve.pipes.Pipeline is not implemented")
