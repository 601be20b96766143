"""What `writer.write_raw_header_frame(frame_cls=...)` takes."""


class Frame:
    """The base of all."""


class HeadersFrame(Frame):
    """Header fields."""


class ContinuationFrame(Frame):
    """More header fields."""


class DataFrame(Frame):
    """Content."""


__all__ = ["ContinuationFrame", "DataFrame", "Frame", "HeadersFrame"]
