def main(request, response):
    return [(b"Content-Type", b"application/octet-stream")], request.body
