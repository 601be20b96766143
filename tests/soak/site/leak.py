"""Leaks on purpose, so that the verdict can be seen to be red."""

import keep


def main(request, response):
    if request.GET.first(b"how") == b"list":
        keep.KEPT.append(bytes(4096))
    else:
        keep.KEPT.append(type("Kept", (), {"main": main}))
    return b"leaked"
