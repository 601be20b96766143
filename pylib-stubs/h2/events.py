"""The events of a stream: the `frame` of `handle_headers` and `handle_data`, and the items of `request.frames`
(hyper-h2 4.1.0, events.py)."""


class Event:
    """The base class of all events. An attribute that has not been set has the value of the class."""

    shown = ()

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)

    def __repr__(self):
        listed = ", ".join(f"{name}:{getattr(self, name)}" for name in self.shown)
        return f"<{type(self).__name__} {listed}>"


class RequestReceived(Event):
    """The header fields of a request: `headers` is a list of pairs of bytes."""

    shown = ("stream_id", "headers")
    stream_id = headers = stream_ended = priority_updated = None


class TrailersReceived(RequestReceived):
    """The fields behind the body."""


class DataReceived(Event):
    """A piece of the body."""

    stream_id = data = flow_controlled_length = stream_ended = None

    def __repr__(self):
        start = self.data[:20].hex() if self.data is not None else None
        return (
            f"<DataReceived stream_id:{self.stream_id}, "
            f"flow_controlled_length:{self.flow_controlled_length}, data:{start}>"
        )


class StreamEnded(Event):
    """The request is complete."""

    shown = ("stream_id",)
    stream_id = None

    def __repr__(self):
        return f"<StreamEnded stream_id:{self.stream_id}>"


class WindowUpdated(Event):
    """The client takes `delta` bytes more."""

    shown = ("stream_id", "delta")
    stream_id = delta = None


class PriorityUpdated(Event):
    """The client has another opinion about the order of the stream."""

    shown = ("stream_id", "weight", "depends_on", "exclusive")
    stream_id = weight = depends_on = exclusive = None


class StreamReset(Event):
    """The stream was ended before its time."""

    shown = ("stream_id", "error_code", "remote_reset")
    stream_id = error_code = None
    remote_reset = True


class ConnectionTerminated(Event):
    """The client has ended the connection."""

    shown = ("error_code", "last_stream_id", "additional_data")
    error_code = last_stream_id = additional_data = None


__all__ = [
    "ConnectionTerminated",
    "DataReceived",
    "Event",
    "PriorityUpdated",
    "RequestReceived",
    "StreamEnded",
    "StreamReset",
    "TrailersReceived",
    "WindowUpdated",
]
