"""Standard output, standard error and `logging` for handlers: their text becomes lines of the server's log."""

import _frozen_importlib
import io
import sys

from _wptserve import output_flush, output_level, output_log, output_write

# Of `logging`, which is not imported for these: it is large, and most handlers never log.
INFO, WARNING = 20, 30


def _encoded(text):
    return text.encode("utf-8", "backslashreplace")


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`: bytes for the log."""

    def __init__(self, output):
        self._output = output
        self.name, self.mode = output.name, "wb"

    def writable(self):
        return True

    def fileno(self):
        return self._output.fileno()

    def write(self, data):
        data = bytes(data)
        output_write(self._output.level, data)
        return len(data)

    def flush(self):
        self._output.flush()

    def close(self):
        # The stream stays open, because other handlers use it as well.
        self.flush()


class Output(io.TextIOBase):
    """A text stream whose lines are lines of the log. It never blocks, never fails for a text and cannot be closed."""

    encoding, errors, newlines, mode = "utf-8", "backslashreplace", None, "w"
    line_buffering, write_through = True, False

    def __init__(self, name, number, level):
        self.name, self.level, self._number = "<%s>" % name, level, number
        self.buffer = _Bytes(self)

    def writable(self):
        return True

    def fileno(self):
        return self._number

    def isatty(self):
        return False

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        output_write(self.level, _encoded(text))
        return len(text)

    def flush(self):
        output_flush(self.level)

    def close(self):
        self.flush()

    def reconfigure(self, **changes):
        """Accepts all arguments without effect: the log is UTF-8, line by line."""


class _LoggingLoader:
    """Sends `logging` to the server's log as soon as the module is imported, as `wpt serve` does at its start."""

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        _frozen_importlib.FrozenImporter.exec_module(module)
        # A frozen package has none, but Handler.handleError asks for the first.
        module.__path__ = ["<frozen logging>"]

        class ServerHandler(module.Handler):
            """Writes records to the server's log, each line with their level."""

            def emit(self, record):
                try:
                    text = self.format(record)
                except Exception:
                    self.handleError(record)
                else:
                    output_log(record.levelno, _encoded(text))

        module.root.addHandler(ServerHandler())
        module.root.setLevel(output_level())


class _LoggingFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "logging":
            return None
        spec = _frozen_importlib.FrozenImporter.find_spec(name)
        spec.loader = _LoggingLoader
        return spec


def install():
    sys.stdout = sys.__stdout__ = Output("stdout", 1, INFO)
    sys.stderr = sys.__stderr__ = Output("stderr", 2, WARNING)


def expect_logging():
    """Called when the finders of modules are complete."""
    sys.meta_path.insert(0, _LoggingFinder)
