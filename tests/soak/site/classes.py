"""A handler whose module and function make classes, in each request anew."""


class Base:
    def __init__(self, number):
        self.number = number

    def value(self):
        return self.number


def main(request, response):
    class Double(Base):
        def value(self):
            return 2 * super().value()

    return b"%d" % Double(int(request.GET.first(b"n"))).value()
