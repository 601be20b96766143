"""Standard output and error as handlers see them: a pipe that nobody reads loses the text and fails nobody, as it is
with the server's own log."""

import io
import sys


class Nowhere(io.RawIOBase):
    """Takes everything, keeps nothing."""

    def writable(self):
        return True

    def write(self, data):
        return len(data)


class Output:
    """A text stream that becomes `Nowhere` when its pipe breaks."""

    def __init__(self, stream):
        self._stream = stream

    def _try(self, method, *args):
        try:
            return getattr(self._stream, method)(*args)
        except BrokenPipeError:
            self._stream = io.TextIOWrapper(io.BufferedWriter(Nowhere()), encoding="utf-8", errors="replace")
            return getattr(self._stream, method)(*args)

    def write(self, text):
        return self._try("write", text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        self._try("flush")

    def __getattr__(self, name):
        return getattr(self._stream, name)


def install():
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:
            setattr(sys, name, Output(stream))
