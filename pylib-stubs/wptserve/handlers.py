"""`wptserve.handlers` (wptserve 4.0.3, handlers.py): the decorators that handlers put on their `main`."""

import json

from _wptserve import wrap_pipeline

from .utils import HTTPException

__all__ = ["ErrorHandler", "FunctionHandler", "HTTPException", "JsonHandler", "StringHandler", "handler", "json_handler"]


def _fill(response, result):
    """Puts the value that a handler returned into the response."""
    if isinstance(result, tuple):
        if len(result) == 3:
            response.status = result[0]
        elif len(result) != 2:
            raise HTTPException(500)
        response.headers.update(result[-2])
        result = result[-1]
    response.content = result


class FunctionHandler:
    """A `main` that fills in the response itself instead of returning the content."""

    def __init__(self, func):
        self.func = func

    def __call__(self, request, response):
        try:
            result = self.func(request, response)
        except HTTPException:
            raise
        except Exception as error:
            raise HTTPException(500) from error
        if result is not None:
            _fill(response, result)
            # The server applies the pipes of the query once more after `main`, as wptserve does.
            wrap_pipeline("", request, response)


def handler(func):
    """Decorates a `main` that returns content, (headers, content) or (status, headers, content)."""
    return FunctionHandler(func)


class JsonHandler:
    """A `main` whose content is sent as JSON."""

    def __init__(self, func):
        self.func = func

    def __call__(self, request, response):
        return FunctionHandler(self.handle_request)(request, response)

    def handle_request(self, request, response):
        """Runs the function and returns its value, with the content as JSON text."""
        result = self.func(request, response)
        response.headers.set("Content-Type", "application/json")
        if isinstance(result, tuple):
            *before, value = result
            text = json.dumps(value)
            result = (*before, text)
        else:
            result = text = json.dumps(result)
        response.headers.set("Content-Length", len(text))
        return result


def json_handler(func):
    """Decorates a `main` that returns a value for JSON: alone, with headers, or with status and headers."""
    return JsonHandler(func)


class ErrorHandler:
    """A `main` that answers with the error `status`."""

    def __init__(self, status):
        self.status = status

    def __call__(self, request, response):
        response.set_error(self.status)


class StringHandler:
    """A `main` that answers with a fixed text; headers are given by keyword, `_` standing for `-`."""

    def __init__(self, data, content_type, **headers):
        self.data = data
        self.resp_headers = [("Content-Type", content_type)]
        self.resp_headers += [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.handler = handler(self.handle_request)

    def handle_request(self, request, response):
        """The headers and the text."""
        return self.resp_headers, self.data

    def __call__(self, request, response):
        return self.handler(request, response)
