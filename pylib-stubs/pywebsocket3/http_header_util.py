"""The grammar of header values: tokens, quoted strings, comma-separated lists."""

import re

_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+")
_BLANK = r"(?:\r\n)?[ \t]+"
_BLANKS = re.compile("(?:%s)*" % _BLANK)
_QUOTED = re.compile(r'"((?:\\[\x00-\x7f]|%s|[^\x00-\x20\x7f"\\])*)"' % _BLANK)
_PIECE = re.compile(r"\\([\x00-\x7f])|%s" % _BLANK)
_TO_ESCAPE = re.compile(r'(["\x00-\x1f\x7f])')


class ParsingState:
    """A text and the position of the reader."""

    def __init__(self, data):
        self.data = data
        self.head = 0

    def take(self, pattern):
        """Reads the match of a pattern at this position; None if the pattern does not match."""
        match = pattern.match(self.data, self.head)
        if match is not None:
            self.head = match.end()
        return match


def peek(state, pos=0):
    """The character after the next `pos` ones; None at the end."""
    at = state.head + pos
    return state.data[at] if at < len(state.data) else None


def consume_string(state, expected):
    """Whether the text goes on with `expected`, which is then read."""
    found = state.data.startswith(expected, state.head)
    if found:
        state.head += len(expected)
    return found


def consume_lwses(state):
    """Reads blanks, line folds included."""
    state.take(_BLANKS)


def consume_token(state):
    """Reads a token; None if there is none."""
    match = state.take(_TOKEN)
    return match and match.group()


def consume_token_or_quoted_string(state):
    """Reads a token, or the meaning of a quoted string; None if there is neither."""
    match = state.take(_QUOTED)
    if match is None:
        return consume_token(state)
    return _PIECE.sub(lambda piece: piece.group(1) or " ", match.group(1))


def consume_list(state, consume_item):
    """Reads items separated by commas to the end of the text; empty ones are left out. ValueError with the character that
    stands where a comma should."""
    items = []
    while True:
        item = consume_item(state)
        if item is not None:
            items.append(item)
        consume_lwses(state)
        if peek(state) is None:
            return items
        if not consume_string(state, ","):
            raise ValueError(peek(state))
        consume_lwses(state)


def quote_if_necessary(s):
    """`s` itself if it is a token, else a quoted string."""
    return s if _TOKEN.fullmatch(s) else '"%s"' % _TO_ESCAPE.sub(r"\\\1", s)
