"""Ends the process that serves. The soak test asks for it only where a supervisor starts another one."""

import os


def main(request, response):
    how = request.GET.first(b"how")
    if how == b"abort":
        os.abort()
    elif how == b"kill":
        os.kill(os.getpid(), 9)
    os._exit(3)
