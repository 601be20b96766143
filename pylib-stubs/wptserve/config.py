"""`wptserve.config` (wptserve 4.0.3, config.py): the class of `request.server.config`. The server fills it at start-up."""

from collections.abc import Mapping

__all__ = ["Config", "json_types"]


class Config(Mapping):
    """The configuration of the server, read by attribute or by item. It cannot be changed."""

    def __init__(self, data):
        for name in data:
            if name.startswith("_"):
                raise ValueError("Invalid configuration key %s" % name)
        self.__dict__.update(data)

    def __str__(self):
        return str(self.__dict__)

    def __setattr__(self, key, value):
        raise ValueError("Config is immutable")

    __setitem__ = __setattr__

    def __getitem__(self, key):
        try:
            return getattr(self, key)
        except AttributeError:
            # Not a KeyError, so `config.get(key)` fails as well, as in wptserve.
            raise ValueError

    def __contains__(self, key):
        return key in self.__dict__

    def __iter__(self):
        return iter(list(self.__dict__))

    def __len__(self):
        return len(self.__dict__)

    def as_dict(self):
        """The configuration as values that JSON can hold."""
        return json_types(self.__dict__, skip={"_logger"})


def json_types(obj, skip=()):
    """A copy of `obj` in which every iterable is a list; ValueError for a value that JSON cannot hold."""
    if isinstance(obj, dict):
        return {key: json_types(value) for key, value in obj.items() if key not in skip}
    if obj is None or isinstance(obj, (str, int, float)):
        return obj
    if isinstance(obj, list) or hasattr(obj, "__iter__"):
        return [json_types(value) for value in obj]
    raise ValueError
