"""The reference with one thing changed by the statement in $ALTERATION: a wrong server for the selftest."""

from __future__ import annotations

import os
import sys

import reference
from wptserve import constants, handlers, response

if __name__ == "__main__":
    exec(os.environ["ALTERATION"], {"constants": constants, "handlers": handlers, "response": response})
    sys.exit(reference.main())
