"""The processors for the extensions that a client offers: `request.ws_extension_processors`."""

from pywebsocket3 import common
from pywebsocket3.stream import Compression as _Compression


class ExtensionProcessorInterface:
    """Decides about one extension that the client has offered."""

    def __init__(self, request):
        self._request = request
        self._active = True

    def request(self):
        """The client's offer, an ExtensionParameter."""
        return self._request

    def name(self):
        return None

    def check_consistency_with_other_processors(self, processors):
        """Called for the last one first: disables the processors that cannot be used together with this one."""

    def set_active(self, active):
        self._active = active

    def is_active(self):
        return self._active

    def get_extension_response(self):
        """The server's answer, an ExtensionParameter; None if the offer is declined."""
        return None

    def setup_stream_options(self, stream_options):
        """Makes the Stream use the extension."""


def _window_bits(value):
    """8 to 15, written without a leading zero or a sign; ValueError if not."""
    if value not in map(str, range(8, 16)):
        raise ValueError(value)
    return int(value)


class PerMessageDeflateExtensionProcessor(ExtensionProcessorInterface):
    """permessage-deflate. The client's window is always taken as 15 bits with its context kept, even if the answer says otherwise."""

    def __init__(self, request):
        super().__init__(request)
        self._client_max_window_bits = None
        self._client_no_context_takeover = False
        self._compression = None

    def name(self):
        return "deflate"

    def get_extension_response(self):
        if not self._active:
            return None
        response = self._negotiate()
        if response is None:
            self._active = False
        return response

    def _negotiate(self):
        offer = self._request
        names = ("server_max_window_bits", "server_no_context_takeover", "client_max_window_bits")
        if any(name not in names for name in offer.get_parameter_names()):
            return None
        # These two stand alone in an offer.
        if any(offer.get_parameter_value(name) is not None for name in names[1:]):
            return None
        window_bits = None
        response = common.ExtensionParameter(offer.name())
        if offer.has_parameter("server_max_window_bits"):
            try:
                window_bits = _window_bits(offer.get_parameter_value("server_max_window_bits"))
            except ValueError:
                return None
            response.add_parameter("server_max_window_bits", str(window_bits))
        no_context_takeover = offer.has_parameter("server_no_context_takeover")
        if no_context_takeover:
            response.add_parameter("server_no_context_takeover", None)
        if self._client_max_window_bits is not None:
            if not offer.has_parameter("client_max_window_bits"):
                return None
            response.add_parameter("client_max_window_bits", str(self._client_max_window_bits))
        if self._client_no_context_takeover:
            response.add_parameter("client_no_context_takeover", None)
        self._compression = _Compression(window_bits, no_context_takeover)
        return response

    def setup_stream_options(self, stream_options):
        if self._active:
            stream_options.compression = self._compression

    def set_client_max_window_bits(self, value):
        """Answers with this client_max_window_bits; an offer that does not allow it is declined."""
        self._client_max_window_bits = value

    def set_client_no_context_takeover(self, value):
        """Answers with client_no_context_takeover."""
        self._client_no_context_takeover = value

    def set_bfinal(self, value):
        """Ends each message with a block that says it is the last one. For an open stream."""
        self._compression.bfinal = value

    def enable_outgoing_compression(self):
        """Compresses messages before sending. For an open stream."""
        self._compression.enabled = True

    def disable_outgoing_compression(self):
        """Sends messages uncompressed. For an open stream."""
        self._compression.enabled = False


def get_extension_processor(extension_request):
    """The processor for an offer; None for an extension that is not known."""
    if extension_request.name() == common.PERMESSAGE_DEFLATE_EXTENSION:
        return PerMessageDeflateExtensionProcessor(extension_request)
    return None
