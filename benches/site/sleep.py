import time


def main(request, response):
    time.sleep(float(request.GET.first(b"seconds")))
    return b"slept"
