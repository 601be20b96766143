def main(request, response):
    return b"hello " + request.GET.first(b"n")
