import hashlib


def main(request, response):
    body = request.body
    return "%d %s" % (len(body), hashlib.sha1(body).hexdigest())
