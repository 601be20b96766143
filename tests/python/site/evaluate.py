"""Answers a POST of programs, separated by NUL, with their results, one a line."""

from ring.evaluate import evaluate_all


def main(request, response):
    programs = request.body.decode("ascii").split("\0")
    return [("Content-Type", "text/plain")], "\n".join(evaluate_all(programs)).encode("ascii")
