"""One session from the request to the end of the connection. The server calls `serve`; handlers do not import this.

The order of things is that of pywebsocket3 4.0.2 (request_handler.py, dispatch.py) and, for HTTP/2, of wptserve 4.0.3
(server.py, `Http2WebTestRequestHandler._stream_ws_thread`).
"""

from pywebsocket3 import common, handshake, msgutil, stream
from pywebsocket3.handshake import _http2, hybi


class Handler:
    """The functions of a handler's file."""

    def __init__(self, namespace):
        self._extra_handshake = self._function(namespace, "web_socket_do_extra_handshake")
        self._transfer_data = self._function(namespace, "web_socket_transfer_data")
        self._passive_closing = namespace.get("web_socket_passive_closing_handshake")

    @staticmethod
    def _function(namespace, name):
        function = namespace.get(name)
        if not callable(function):
            raise LookupError("%s is not %s" % (name, "callable" if name in namespace else "defined"))
        return function

    def do_extra_handshake(self, request):
        """Asks the handler about the handshake. Any exception is a refusal."""
        try:
            self._extra_handshake(request)
        except handshake.AbortedByUserException:
            raise
        except Exception as error:
            request.connection._report(error)
            message = "web_socket_do_extra_handshake raised exception for %s: %s" % (request.ws_resource, error)
            raise handshake.HandshakeException(message, common.HTTP_STATUS_FORBIDDEN) from error

    def passive_closing_handshake(self, request):
        """The code and reason of the answer to a Close of the client."""
        if not callable(self._passive_closing):
            return common.STATUS_NORMAL_CLOSURE, ""
        code, reason = self._passive_closing(request)
        return code, reason if code is not None else ""

    def transfer_data(self, request):
        """Runs the handler, and closes the connection as its end, or its exception, requires."""
        close = request.ws_stream.close_connection
        try:
            self._transfer_data(request)
            close()
        except msgutil.BadOperationException:
            close(common.STATUS_INTERNAL_ENDPOINT_ERROR)
        except (msgutil.InvalidFrameException, msgutil.UnsupportedFrameException):
            close(common.STATUS_PROTOCOL_ERROR)
        except stream.InvalidUTF8Exception:
            # After the client's Close no other message comes.
            close(common.STATUS_INVALID_FRAME_PAYLOAD_DATA, wait_response=not request.client_terminated)
        except msgutil.ConnectionTerminatedException:
            pass


class Request:
    """`request`, as on HTTP/1.1."""

    def __init__(self, connection, headers):
        self.connection = connection
        self.headers_in = headers
        self._method, self._uri, self._protocol, self._is_https = connection._request

    @property
    def method(self):
        return self._method

    @property
    def uri(self):
        """Path and query, as the client has sent them."""
        return self._uri

    unparsed_uri = uri

    @property
    def protocol(self):
        return self._protocol

    def is_https(self):
        return self._is_https


class Http2Request(Request):
    """`request`, as on HTTP/2: the answer's status and headers are attributes."""

    def __init__(self, connection, headers):
        # Imported late: the rest of the server has it already when HTTP/2 is spoken.
        from wptserve.response import ResponseHeaders

        super().__init__(connection, headers)
        self.status = 200
        self.headers_out = ResponseHeaders()

    def respond(self, end):
        """Hands status and headers to the connection; `end` if there is nothing else."""
        status = self.status[0] if isinstance(self.status, tuple) else self.status
        self.connection._respond(status, self.headers_out.items(), end)


def serve(connection, headers):
    """Runs a session to its end."""
    try:
        handler = Handler(connection._load())
    except BaseException as error:
        connection._report(error)
        connection._decline()
        return
    is_http2 = connection._is_http2
    request = (Http2Request if is_http2 else Request)(connection, headers)
    try:
        try:
            (_http2 if is_http2 else hybi).Handshaker(request, handler).do_handshake()
        except handshake.VersionException as error:
            connection._send_versions(str(error), error.supported_versions)
            return
        except handshake.HandshakeException as error:
            connection._send_error(error.status, str(error))
            return
        except handshake.AbortedByUserException:
            if is_http2:
                request.respond(True)
            raise
        if is_http2:
            request.respond(False)
        request._dispatcher = handler
        handler.transfer_data(request)
    except handshake.AbortedByUserException:
        pass
