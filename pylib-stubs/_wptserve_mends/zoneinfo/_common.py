"""UTC is there on a machine without time zones, under all its names."""

from _wptserve_mends import run_original

run_original(globals())
del run_original

_load = load_tzdata


def load_tzdata(key):
    try:
        return _load(key)
    except ZoneInfoNotFoundError:
        place, _, name = key.rpartition("/")
        if place not in ("", "Etc") or name not in ("UTC", "UCT", "Universal", "Zulu", "GMT", "Greenwich", "GMT0", "GMT+0", "GMT-0"):
            raise
        return _fixed("GMT" if name.startswith("G") else "UTC")


def _fixed(abbreviation):
    """A file of time zone data (RFC 8536, version 2) with no transitions."""
    import io

    designations = abbreviation.encode() + b"\0"
    # Counts: UT indicators, standard indicators, leap seconds, transitions, types, letters of the designations.
    block = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, len(designations)) + bytes(6) + designations
    return io.BytesIO(block * 2 + b"\n" + abbreviation.encode() + b"0\n")
