"""The classes for `writer.write_raw_header_frame(frame_cls=...)`."""


class Frame:
    """The base class of all."""


class HeadersFrame(Frame):
    """Header fields."""


class ContinuationFrame(Frame):
    """More header fields."""


class DataFrame(Frame):
    """Content."""


__all__ = ["ContinuationFrame", "DataFrame", "Frame", "HeadersFrame"]
