"""32 MiB from a generator, 32 KiB at a time."""


def main(request, response):
    def parts():
        part = bytes(range(256)) * 128
        for _ in range(1024):
            yield part

    response.headers.set(b"Content-Length", 32 * 1024 * 1024)
    response.content = parts()
