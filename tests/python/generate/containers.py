"""`list`, `tuple`, `dict`, `set`, `collections`, `itertools`, `functools`, `operator`, `copy`, `heapq`, `bisect`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    $L + $L
    $L * $Small
    $L[$Slice]
    $L[$Small]
    $L == $L
    $L < $L
    $L $Compare $T
    $V in $L
    $L.index($V)
    $L.index($V, $Bound)
    $L.count($V)
    sorted($L)
    sorted($Numbers, reverse=$Bool)
    sorted($Words, key=$Key)
    sorted($Words, key=$Key, reverse=True)
    list(reversed($L))
    min($Numbers), max($Numbers), sum($Numbers)
    max($Words, key=$Key)
    min($L, default=$V)
    max($L)
    sum($L, $V)
    sum([[1], [2]], [])
    any($L), all($L)
    list(enumerate($L, $Small))
    list(zip($L, $T))
    list(zip($L, $T, strict=True))
    list(map($Fn, $L))
    list(filter($Pred, $L))
    list(filter(None, $L))
    tuple($L), set($Hashable), frozenset($Hashable)
    repr($L), str($T), repr($D)
    a = $L\na[$Slice] = $L\nresult = a
    a = $L\na[$Small] = $V\nresult = a
    a = $L\ndel a[$Slice]\nresult = a
    a = $L\na.insert($Small, $V)\na.append($V)\na.extend($T)\nresult = a
    a = $L\nresult = a.pop($Small), a
    a = $L\na.remove($V)\nresult = a
    a = $L\na += $T\na *= $Count\nresult = a
    a = $Numbers\na.sort(key=lambda x: -x)\na.reverse()\nresult = a
    a, b = $L\nresult = a, b
    a, *b, c = $L\nresult = a, b, c
    (a, b), c = $L, $V\nresult = a, b, c
    [x for x in $L if $PredX]
    [[x, y] for x in $L for y in $T if x != y]
    {x: y for x, y in zip($Hashable, $L)}
    {x for x in $Hashable}
    list(x for x in $L)
    $D[$H]
    $D.get($H, $V)
    $H in $D
    $D | $D
    $D == $D
    list($D), list($D.values()), list($D.items())
    $D.keys() & $D.keys()
    $D.keys() - {$H}
    $D.items() ^ $D.items()
    $D.keys() == $S, $D.keys() <= $S
    dict($D, a=$V)
    dict($L)
    dict([($H, $V), ($H, $V)])
    dict.fromkeys($Hashable, $V)
    {**$D, **$D}
    d = $D\nd[$H] = $V\nd.setdefault($H, $V)\nd.update($D)\nresult = d
    d = $D\nresult = d.pop($H, $V), d
    d = $D\nresult = d.pop($H), d
    d = $D\nresult = d.popitem(), d
    d = $D\ndel d[$H]\nresult = d
    d = $D\nd |= $D\nresult = list(reversed(d)), d.copy()
    d = $D\nfor k in d:\n    d[k, 1] = 1
    sorted({$H: 1 for _ in 'a'}.items())
    $S | $S
    $S & $S, $S - $S, $S ^ $S
    $S <= $S, $S < $S, $S == $S
    $S.union($Hashable, $Hashable)
    $S.intersection($Hashable), $S.difference($Hashable), $S.symmetric_difference($Hashable)
    $S.issubset($Hashable), $S.isdisjoint($Hashable)
    s = $S\ns.add($H)\ns.discard($H)\ns.update($Hashable)\nresult = s
    s = $S\ns.remove($H)\nresult = s
    s = $S\ns -= $S\ns |= $S\ns ^= $S\nresult = s
    {$L}
    {$L: 1}
    hash($T) == hash(tuple(list($T)))
    len($L), len($D), len($S)
    collections.Counter($Words)
    collections.Counter($Text).most_common($Small)
    collections.Counter($Text).most_common()
    collections.Counter($Text) $SetOp collections.Counter($Text)
    +collections.Counter(a=$Small, b=$Small), -collections.Counter(a=$Small)
    c = collections.Counter($Text)\nc.update($Text)\nc.subtract($Text)\nresult = c, c.total(), sorted(c.elements()), c['nosuch']
    repr(collections.Counter($Text))
    collections.Counter($Text) <= collections.Counter($Text)
    collections.OrderedDict($Pairs)
    d = collections.OrderedDict($Pairs)\nd.move_to_end($H, $Bool)\nresult = d, d.popitem($Bool), repr(d)
    collections.OrderedDict($Pairs) == collections.OrderedDict($Pairs), collections.OrderedDict($Pairs) == dict($Pairs)
    d = collections.defaultdict(list, $D)\nd[$H].append($V)\nresult = d, repr(d)
    d = collections.defaultdict($Factory)\nd[$H] += 1\nresult = d
    d = collections.deque($L, $Max)\nd.append($V)\nd.appendleft($V)\nd.rotate($Small)\nresult = d, d.maxlen, repr(d)
    d = collections.deque($L)\nresult = d.pop(), d.popleft(), d
    d = collections.deque($L)\nd.insert($Small, $V)\nd.extendleft($T)\nd.reverse()\nresult = d, d.count($V), d.index($V)
    d = collections.deque($L, $Max)\ndel d[$Small]\nd += $T\nresult = d * 2, d + d
    collections.deque($L) < collections.deque($T), collections.deque($L) == $L
    m = collections.ChainMap($D, $D)\nresult = dict(m), m.get($H), len(m), list(m), m.maps
    m = collections.ChainMap({}, $D).new_child({$H: $V})\nresult = m[$H], repr(m), m.parents.maps
    P = collections.namedtuple('P', $Fields)\nresult = P($V, $V), P._fields, repr(P($V, y=$V))
    P = collections.namedtuple('P', 'x y', defaults=[$V])\np = P($V)\nresult = p, p._replace(y=$V), p._asdict(), p == tuple(p), p.x, p[-1], P._make([1, 2])
    collections.namedtuple('P', $Fields, rename=True)._fields
    collections.UserDict($D) | $D
    list(itertools.islice($L, $Bound, $Bound))
    list(itertools.islice(itertools.count($N, $N), $Count))
    list(itertools.islice(itertools.cycle($L), $Count))
    list(itertools.repeat($V, $Count))
    list(itertools.chain($L, $T)), list(itertools.chain.from_iterable([$L, $T]))
    list(itertools.accumulate($Numbers)), list(itertools.accumulate($Numbers, operator.mul, initial=$N))
    list(itertools.accumulate($L))
    list(itertools.combinations($T, $Count)), list(itertools.permutations($T, 2))
    list(itertools.combinations_with_replacement($T, 2)), list(itertools.product($L, $T))
    list(itertools.product('ab', repeat=$Repeat))
    list(itertools.permutations('abc', $Bound))
    list(itertools.compress($L, $T)), list(itertools.dropwhile($Pred, $L)), list(itertools.takewhile($Pred, $L)), list(itertools.filterfalse($Pred, $L))
    [(k, list(g)) for k, g in itertools.groupby($L)]
    [(k, list(g)) for k, g in itertools.groupby(sorted($Words), key=$Key)]
    list(itertools.pairwise($L)), list(itertools.starmap(operator.add, zip($Numbers, $Numbers)))
    list(itertools.zip_longest($L, $T, fillvalue=$V))
    a, b = itertools.tee($L)\nresult = next(a, None), list(b), list(a)
    functools.reduce(operator.add, $L)
    functools.reduce(lambda a, b: [a, b], $L, $V)
    functools.partial(sorted, reverse=True)($Numbers)
    sorted($Words, key=functools.cmp_to_key(lambda a, b: (a > b) - (a < b)))
    @functools.lru_cache(maxsize=2)\ndef f(x):\n    return [x]\nresult = f($H), f($H), f($H), f.cache_info()
    @functools.singledispatch\ndef f(x):\n    return 'any'\n@f.register\ndef _(x: int):\n    return 'int'\nresult = f($V), f($N)
    @functools.total_ordering\nclass C:\n    def __init__(self, x):\n        self.x = x\n    def __eq__(self, o):\n        return self.x == o.x\n    def __lt__(self, o):\n        return self.x < o.x\nresult = C($N) >= C($N), C($V) <= C($V)
    operator.itemgetter($Small)($L), operator.itemgetter($Small, 0)($L)
    operator.attrgetter('real', 'imag')($N), operator.methodcaller('count', $V)($L)
    operator.$Op($V, $V)
    operator.$Op($N, $N)
    operator.countOf($L, $V), operator.length_hint(iter($L))
    __import__('heapq').nsmallest($Small, $Numbers), __import__('heapq').nlargest($Small, $Numbers, key=lambda x: -x)
    h = $Numbers\nq = __import__('heapq')\nq.heapify(h)\nq.heappush(h, $N)\nresult = q.heappop(h), h, q.heapreplace(h, $N), q.heappushpop(h, $N), list(q.merge(sorted(h), [1, 2]))
    __import__('bisect').bisect_left(sorted($Numbers), $N, $Count), __import__('bisect').bisect(sorted($Numbers), $N)
    a = sorted($Numbers)\n__import__('bisect').insort(a, $N)\nresult = a
    copy.deepcopy([$L, $D, $S]), copy.copy($D)
    a = $L\nb = [a, a]\nc = copy.deepcopy(b)\nresult = c, c[0] is c[1], c[0] is a
    a = [$V]\na.append(a)\nresult = repr(a), a == a
    slice($Bound, $Bound) == slice($Bound, $Bound), repr(slice($V, $V))
    iter($L).__length_hint__(), next(iter($L), 'end')
    list(iter($L.copy().pop, $V))
    isinstance($V, (int, str)), issubclass(bool, int), callable($V)
    type($V)($V)
    $L[$V]
    $D[$L]
    $S.add($L)
    $V[$V]
    len($V)
    iter($V)
    $V()
    list($V)
    __import__('types').MappingProxyType($D) | $D
    __import__('types').SimpleNamespace(a=$V) == __import__('types').SimpleNamespace(a=$V)
    repr(__import__('types').SimpleNamespace(a=$V, b=$V))
    E = __import__('enum').Enum('E', 'A B')\nresult = E.A, E(2), E['B'], list(E), repr(E.A), str(E.B), E.A == 1, E.A in E
    F = __import__('enum').IntFlag('F', 'A B C')\nresult = F.A | F.B, F(5), repr(F(3)), str(F.A), int(~F.A), F.A in F(3), f'{F.B}'
    class E(__import__('enum').IntEnum):\n    A = $N\nresult = E.A + 1, str(E.A), f'{E.A}', repr(E.A), '%s' % E.A, '%d' % E.A, json.dumps(E.A)
    d = __import__('dataclasses')\nC = d.make_dataclass('C', [('x', int), ('y', object, d.field(default=3))], order=True)\nresult = repr(C($V)), C(1) == C(1), d.asdict(C($V, $V)), d.astuple(d.replace(C(1), x=$V)), C($N) < C($N)
""", SHARED, {
    # What is done with it may take as long as it is large.
    "Int": ["$Small"],
    "N": ["$Small", "$Small", "1.5", "True", "$Count"],
    "V": ["$N", "$N", "'a'", "'b'", "None", "$Str", "1.0", "(1, 2)", "[1]", "float('nan')", "$Any"],
    "Repeat": ["-1", "0", "1", "3"],
    "H": ["$N", "'a'", "'b'", "None", "1.0", "True", "(1, 2)", "$Str", "b'a'"],
    "L": ["[]", "[$V]", "[$V, $V]", "[$V, $V, $V]", "$Numbers", "[1, 2, 3, 2, 1]", "[[1], [2]]", "list($Text)"],
    "T": ["()", "($V,)", "($V, $V)", "(1, 2, 3)", "tuple($Text)"],
    "Numbers": ["[$N, $N, $N]", "[$N]", "[3, 1, 2]", "[$N, $N, $N, $N, $N]", "[1.5, 1, True]"],
    "Words": ["['b', 'a', 'c']", "[$Str, $Str]", "['bb', 'a', 'Ccc', 'a']", "$Text.split()"],
    "Text": ["'abracadabra'", "'a b a'", "''", "$Str"],
    "D": ["{}", "{$H: $V}", "{$H: $V, $H: $V}", "{'a': 1, 'b': 2}", "{1: 'x', True: 'y', 1.0: 'z'}", "{'a': {'b': $V}}"],
    "S": ["set()", "{$H}", "{$H, $H}", "{1, 2, 3}", "frozenset([$H])", "{1, True, 1.0}"],
    "Hashable": ["[$H, $H]", "($H,)", "'abca'", "[1, 2, 2]", "{$H}"],
    "Pairs": ["[('a', 1), ('b', 2)]", "[('b', 2), ('a', 1)]", "[($H, $V)]", "[]"],
    "Fields": ["'x y'", "'x, y'", "['x', 'y']", "'x x'", "'x class'", "'x _y'", "'x 1y'", "('x', 'y')"],
    "Key": ["len", "str.lower", "lambda w: w[::-1]", "lambda w: (len(w), w)", "None"],
    "Fn": ["str", "repr", "lambda x: [x]", "type", "bool", "lambda x: x * 2"],
    "Pred": ["bool", "lambda x: x != 1", "callable", "lambda x: isinstance(x, str)"],
    "PredX": ["x", "x != 1", "isinstance(x, int)", "not x"],
    "Compare": ["<", "<=", "==", "!=", ">", ">="],
    "SetOp": ["+", "-", "&", "|"],
    "Op": ["add", "mul", "truediv", "floordiv", "mod", "lt", "eq", "and_", "concat", "contains", "is_", "pow", "lshift", "xor", "getitem"],
    "Factory": ["int", "float", "lambda: 5", "list", "None"],
    "Max": ["None", "$Count", "2"],
})
