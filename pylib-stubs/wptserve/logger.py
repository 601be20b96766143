"""`wptserve.logger` (wptserve 4.0.3, logger.py): the root logger of Python's `logging`."""


def get_logger():
    """The root logger."""
    # Imported late: `logging` is a large module, and most handlers never log.
    import logging

    return logging.getLogger()
