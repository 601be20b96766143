"""A lazy repeat without a bound of something that may be empty, written so that RustPython's matcher ends.

CPython leaves such a repeat when a round has taken nothing. RustPython 0.6.0 goes on and on, each round takes memory, and soon
the process is gone. A round that takes nothing adds nothing: `(?:a?)*?` finds what `(?:a)*?` finds, and `(?:a?)+?` what
`(?:a?)(?:a)*?` finds. Where a group's reference decides whether a round is empty, the pattern is refused.
"""

from _wptserve_mends import run_original

run_original(globals())
del run_original

_parse_as_written = parse
_WIDTHLESS = (AT, ASSERT, ASSERT_NOT)


def parse(str, flags=0, state=None):
    parsed = _parse_as_written(str, flags, state)
    _mend_repeats(parsed, str)
    return parsed


def _mend_repeats(node, pattern):
    if isinstance(node, SubPattern):
        mended = []
        for operation, value in node.data:
            _mend_repeats(value, pattern)
            if operation is MIN_REPEAT and value[1] is MAXREPEAT and value[2].getwidth()[0] == 0:
                least, _, body = value
                if least:
                    mended.append((MAX_REPEAT, (least, least, body)))
                filled = _not_empty(body, pattern)
                if filled is not None:
                    mended.append((MIN_REPEAT, (0, MAXREPEAT, filled)))
            else:
                mended.append((operation, value))
        node.data[:] = mended
    elif isinstance(node, (tuple, list)):
        for part in node:
            _mend_repeats(part, pattern)


def _not_empty(body, pattern):
    """What matches as `body` does, but never nothing; None when that is all that it matches."""
    if body.getwidth()[0]:
        return body
    ways = []
    for place, item in enumerate(body.data):
        filled = _item_not_empty(item, pattern, body.state)
        if filled is not None:
            # Those before it take nothing this time, but some of them look at what is around.
            before = [other for other in body.data[:place] if other[0] in _WIDTHLESS]
            ways.append(SubPattern(body.state, [*before, filled, *body.data[place + 1 :]]))
    if len(ways) > 1:
        return SubPattern(body.state, [(BRANCH, (None, ways))])
    return ways[0] if ways else None


def _item_not_empty(item, pattern, state):
    operation, value = item
    if operation in _WIDTHLESS:
        return None
    if SubPattern(state, [item]).getwidth()[0]:
        return item
    if operation in (MAX_REPEAT, MIN_REPEAT, POSSESSIVE_REPEAT):
        filled = _not_empty(value[2], pattern)
        return filled and (operation, (1, value[1], filled))
    if operation is SUBPATTERN:
        filled = _not_empty(value[3], pattern)
        return filled and (operation, (*value[:3], filled))
    if operation is ATOMIC_GROUP:
        filled = _not_empty(value, pattern)
        return filled and (operation, filled)
    if operation is BRANCH:
        ways = [filled for way in value[1] if (filled := _not_empty(way, pattern)) is not None]
        return (operation, (None, ways)) if ways else None
    raise error("the server's Python cannot run a lazy repeat (*?, +?) of a reference to a group", pattern)
