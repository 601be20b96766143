def main(request, response):
    raise ValueError("failed %s" % request.GET.first(b"n").decode())
