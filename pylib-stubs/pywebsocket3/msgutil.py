"""Messages of a session as functions, and two threads that receive and send them."""

import queue
import threading

from pywebsocket3._stream_exceptions import (  # noqa: F401  (handlers catch them from here)
    BadOperationException,
    ConnectionTerminatedException,
    InvalidFrameException,
    UnsupportedFrameException,
)


def close_connection(request):
    """Does the closing handshake."""
    request.ws_stream.close_connection()


def send_message(request, payload_data, end=True, binary=False):
    """Sends text, or bytes with `binary`; without `end` as a fragment that a later call goes on with."""
    request.ws_stream.send_message(payload_data, end, binary)


def receive_message(request):
    """The next message: str or bytes, None when the client closes."""
    return request.ws_stream.receive_message()


def send_ping(request, body):
    """Sends a Ping."""
    request.ws_stream.send_ping(body)


class MessageReceiver(threading.Thread):
    """Receives messages, for `onmessage` if that is given, else for `receive`."""

    def __init__(self, request, onmessage=None):
        super().__init__(daemon=True)
        self._request = request
        self._onmessage = onmessage
        self._queue = queue.Queue()
        self._stop_requested = False
        self.start()

    def run(self):
        take = self._onmessage or self._queue.put
        try:
            while not self._stop_requested:
                take(receive_message(self._request))
        finally:
            close_connection(self._request)

    def receive(self):
        """The next message; waits for it."""
        return self._queue.get()

    def receive_nowait(self):
        """The next message, None if there is none yet."""
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return None

    def stop(self):
        """Ends the thread after the next message."""
        self._stop_requested = True


class MessageSender(threading.Thread):
    """Sends messages in the order in which they were given."""

    def __init__(self, request):
        super().__init__(daemon=True)
        self._request = request
        self._queue = queue.Queue()
        self.start()

    def run(self):
        while True:
            message, sent = self._queue.get()
            send_message(self._request, message)
            sent.set()

    def send(self, message):
        """Sends a message and waits until it has left."""
        self.send_nowait(message).wait()

    def send_nowait(self, message):
        """Sends a message soon."""
        sent = threading.Event()
        self._queue.put((message, sent))
        return sent
