"""`wptserve.ranges` (wptserve 4.0.3, ranges.py): the Range header for handlers that serve parts themselves."""

from .utils import HTTPException

__all__ = ["Range", "RangeParser"]


class Range:
    """The bytes from `lower` up to, not including, `upper` of a file."""

    def __init__(self, lower, upper, file_size):
        self.file_size = file_size
        if lower is None:
            # "-5" is the last five bytes, "-" all of them.
            lower = 0 if upper is None else max(0, file_size - upper)
            upper = file_size
        else:
            upper = file_size if upper is None else min(file_size, upper + 1)
        self.lower, self.upper = lower, upper
        if lower >= upper or lower >= file_size:
            raise ValueError

    def __repr__(self):
        return "<Range %s-%s>" % (self.lower, self.upper)

    def __lt__(self, other):
        return self.lower < other.lower

    def __gt__(self, other):
        return self.lower > other.lower

    def __eq__(self, other):
        return (self.lower, self.upper) == (other.lower, other.upper)

    __hash__ = None

    def coalesce(self, other):
        """One range for both if they touch, else both in order."""
        assert self.file_size == other.file_size
        if self.upper < other.lower or other.upper < self.lower:
            return sorted([self, other])
        return [Range(min(self.lower, other.lower), max(self.upper, other.upper) - 1, self.file_size)]

    def header_value(self):
        """The value of a Content-Range header."""
        return "bytes %i-%i/%i" % (self.lower, self.upper - 1, self.file_size)


class RangeParser:
    """Reads the value of a Range header; HTTPException with 400 or 416 for a value that it cannot read."""

    def __call__(self, header, file_size):
        try:
            header = header.decode("ascii")
        except UnicodeDecodeError:
            raise HTTPException(400, "Non-ASCII range header value")
        unit = "bytes="
        if not header.startswith(unit):
            raise HTTPException(416, message="Unrecognised range type %s" % header)
        ranges = [self._range(item, file_size) for item in header[len(unit):].split(",")]
        return self.coalesce_ranges(ranges, file_size)

    def _range(self, item, file_size):
        try:
            lower, upper = [int(end) if end != "" else None for end in item.split("-")]
            return Range(lower, upper, file_size)
        except ValueError:
            raise HTTPException(416, "Bad range specifier %s" % item)

    def coalesce_ranges(self, ranges, file_size):
        """The ranges in order; those that touch are joined."""
        target, done = None, []
        for current in sorted(ranges, reverse=True):
            if target is None:
                target = current
            else:
                target, *apart = target.coalesce(current)
                done += apart
        return [target, *reversed(done)]
