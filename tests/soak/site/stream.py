"""`parts` times `size` bytes, from an iterable or through the writer: part k consists of the byte k."""


def main(request, response):
    parts, size = int(request.GET.first(b"parts")), int(request.GET.first(b"size"))
    if request.GET.first(b"how") == b"iterable":
        response.headers.set(b"Content-Length", parts * size)
        response.content = (bytes([part % 256]) * size for part in range(parts))
        return
    response.writer.write_status(200)
    response.writer.write_header(b"Content-Length", b"%d" % (parts * size))
    response.writer.end_headers()
    for part in range(parts):
        response.writer.write(bytes([part % 256]) * size)
