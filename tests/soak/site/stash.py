"""POST puts the body under the key, GET takes it."""


def main(request, response):
    key = request.GET.first(b"key")
    if request.method == "POST":
        request.server.stash.put(key, request.body)
        return b"put"
    value = request.server.stash.take(key)
    return b"nothing" if value is None else value
