"""The language itself: control flow, functions, classes, exceptions, generators, scopes."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    def f(a, b=$V, *c, d=$V, **e):\n    return a, b, c, d, e\nresult = f($Call)
    def f(a, /, b, *, c=1):\n    return a, b, c\nresult = f($Call)
    def f(*a, **k):\n    return a, k\nresult = f($Call)
    def f():\n    try:\n        $Do\n    except $Error:\n        return 'caught'\n    else:\n        return 'else'\n    finally:\n        log.append('finally')\nlog = []\nresult = f(), log
    def f():\n    for i in range($Count):\n        try:\n            if i == $Count:\n                $Jump\n            log.append(i)\n        finally:\n            log.append(-i)\n    else:\n        log.append('else')\nlog = []\nresult = f(), log
    def f():\n    try:\n        return 1\n    finally:\n        $Last\nresult = f()
    try:\n    $Do\nexcept Exception as e:\n    result = type(e), e.args\nelse:\n    result = 'fine'
    try:\n    try:\n        $Do\n    except Exception as e:\n        raise KeyError('k') from e\nexcept KeyError as e:\n    result = type(e.__cause__), type(e.__context__), e.__suppress_context__, str(e)
    try:\n    try:\n        $Do\n    finally:\n        raise LookupError('l')\nexcept LookupError as e:\n    result = type(e.__context__), e.__cause__
    class C:\n    def __enter__(self):\n        log.append('in')\n        return $V\n    def __exit__(self, *e):\n        log.append(e[0])\n        return $Bool\nlog = []\nwith C() as x:\n    $Do\n    log.append(x)\nresult = log
    def g():\n    x = yield $V\n    log.append(x)\n    try:\n        yield x\n    except ValueError as e:\n        yield str(e)\n    return 5\nlog = []\nh = g()\nresult = [next(h), h.send($V), h.throw(ValueError('v')), list(h), log]
    def g():\n    r = yield from h()\n    yield r\ndef h():\n    yield $V\n    return $V\nresult = list(g())
    def g(n):\n    while n:\n        n -= 1\n        if n == $Count:\n            return\n        yield n\nresult = list(g($Count))
    def g():\n    try:\n        yield 1\n    finally:\n        log.append('closed')\nlog = []\nh = g()\nnext(h)\nh.close()\nresult = log, next(h, 'end')
    def f():\n    x = $V\n    def g():\n        nonlocal x\n        x = [x]\n        return x\n    return g(), g(), x\nresult = f()
    x = $V\ndef f():\n    $Scope\nresult = f()
    fs = [lambda: i for i in range(3)]\nresult = [f() for f in fs]
    fs = [lambda i=i: i for i in range($Count)]\nresult = [f() for f in fs]
    class A:\n    x = $V\n    def f(self):\n        return 'A'\nclass B(A):\n    def f(self):\n        return 'B' + super().f()\nclass C(A):\n    def f(self):\n        return 'C' + super().f()\nclass D(B, C):\n    pass\nresult = D().f(), [c.__name__ for c in D.__mro__], D.x, vars(D()).copy()
    class C:\n    def __getattr__(self, n):\n        return n\n    def __setattr__(self, n, x):\n        object.__setattr__(self, n, [x])\nc = C()\nc.a = $V\nresult = c.a, c.b, getattr(c, $Attr), hasattr(c, 'z')
    class C:\n    __slots__ = ('a',)\nc = C()\nc.$Name = $V\nresult = c.a
    class C:\n    @property\n    def a(self):\n        return self._a\n    @a.setter\n    def a(self, x):\n        self._a = x\n    @classmethod\n    def b(cls):\n        return cls.__name__\n    @staticmethod\n    def c(x):\n        return x\nc = C()\nc.a = $V\nresult = c.a, C.b(), c.c($V)
    class C:\n    def __init__(self, x):\n        self.x = x\n    def $Dunder(self, o):\n        return ['called', o]\nresult = C(1) $Operator $V
    class C:\n    def $Reflected(self, o):\n        return ['called', o]\nresult = $V $Operator C()
    class C:\n    def __eq__(self, o):\n        return $V\nresult = C() == 1, 1 == C(), C() != 1, C() in [1]
    class C:\n    def __bool__(self):\n        return $V\nresult = bool(C())
    class C:\n    def __len__(self):\n        return $V\nresult = len(C()), bool(C())
    class C:\n    def __hash__(self):\n        return $V\nresult = {C(): 1} is not None
    class C:\n    def __iter__(self):\n        return $Iterator\nresult = list(C())
    class C:\n    def __getitem__(self, i):\n        if i == $Count:\n            raise $Error\n        return i\nresult = list(C()), 3 in C()
    class C:\n    def __contains__(self, x):\n        return $V\nresult = 1 in C(), 1 not in C()
    class C:\n    def __call__(self, *a, **k):\n        return a, k\nresult = C()($Call)
    class C:\n    def __missing__(self, k):\n        return k\nclass D(C, dict):\n    pass\nresult = D()[$H], D().get($H)
    class M(type):\n    def __call__(cls, *a):\n        return ['made', super().__call__()]\nclass C(metaclass=M):\n    pass\nresult = C(1)[0], type(C).__name__
    class C:\n    def __init_subclass__(cls, x=None):\n        seen.append((cls.__name__, x))\n    def __class_getitem__(cls, i):\n        return i\nseen = []\nclass D(C, x=$V):\n    pass\nresult = seen, C[$V]
    class D:\n    def __get__(self, o, t):\n        return 'got'\n    def __set__(self, o, x):\n        seen.append(x)\n    def __set_name__(self, t, n):\n        seen.append(n)\nseen = []\nclass C:\n    a = D()\nc = C()\nc.a = $V\nresult = c.a, C.a, seen
    class E(Exception):\n    def __init__(self, x):\n        super().__init__(x, 1)\n    def __str__(self):\n        return 'E!'\ntry:\n    raise E($V)\nexcept E as e:\n    result = str(e), repr(e), e.args
    result = []\nfor x in $Iterable:\n    if x == $V:\n        $LoopJump\n    result.append(x)\nelse:\n    result.append('else')
    result, n = [], $Count\nwhile n:\n    n -= 1\n    if n % 3 == 1:\n        $LoopJump\n    result.append(n)\nelse:\n    result.append('else')
    match $Subject:\n    case $Pattern:\n        result = 'first', locals().get('x')\n    case $Pattern if $Bool:\n        result = 'second', locals().get('x')\n    case _:\n        result = 'none'
    match $Subject:\n    case {'a': x, **rest}:\n        result = x, rest\n    case [x, *rest]:\n        result = x, rest\n    case int(x) | str(x):\n        result = x\n    case _:\n        result = 'none'
    if (x := $V):\n    result = x\nelse:\n    result = 'not', x
    result = [y := $V, y], (z := $V) is z
    $V if $V else $V
    $V and $V or $V
    $V $Operator $V
    $V $Operator $V
    $V $Chain $V $Chain $V
    not $V
    (lambda x, *y, z=$V: (x, y, z))($Call)
    [x for x in $Iterable if x]
    {k: v for k, v in $Iterable}
    [*$Iterable, *$Iterable], {**{'a': $V}}
    print(*[], end=''), sorted([$V, $V], key=repr)
    getattr($V, $Attr, 'none')
    hasattr($V, $Attr)
    isinstance($V, $Class), isinstance($V, (str, $Class))
    $Class($V)
    $Class()
    type($V).__name__, type($V).__mro__[-1] is object
    str($Exception), repr($Exception)
    $Exception.args
    eval($Source)
    eval($Source, {'x': $V})
    compile($Source, 'x', 'eval') is not None
    x = {}\nexec($Source, x)\nresult = sorted(k for k in x if k[0] != '_')
    del $V if False else x
    result = [1, 2, 3]\nfor x in result:\n    if len(result) < 6:\n        result.append(x)
    def d(f):\n    return lambda *a: ['d', f(*a)]\n@d\n@d\ndef f(x):\n    return x\nresult = f($V)
    def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nresult = f($Count)
    def f(n):\n    return f(n + 1)\nf(0)
    import contextlib\n@contextlib.contextmanager\ndef c():\n    log.append('in')\n    try:\n        yield $V\n    finally:\n        log.append('out')\nlog = []\nwith c() as x, contextlib.suppress(KeyError, $Error):\n    $Do\nresult = x, log
    import contextlib\nlog = []\nwith contextlib.ExitStack() as s:\n    s.callback(log.append, $V)\n    s.enter_context(contextlib.nullcontext($V))\nresult = log
    try:\n    raise ExceptionGroup('g', [ValueError(1), TypeError($V)])\nexcept* ValueError as e:\n    result = e.exceptions\nexcept* TypeError as e:\n    result = [result, e.exceptions]
    import asyncio\nasync def f(x):\n    return [x]\nc = f($V)\ntry:\n    c.send(None)\nexcept StopIteration as e:\n    result = e.value
    import threading\nout = []\nt = threading.Thread(target=out.append, args=($V,))\nt.start()\nt.join()\nresult = out
    import queue\nq = queue.Queue()\nq.put($V)\nresult = q.get(), q.empty(), q.qsize()
    import string\nresult = string.ascii_letters, string.punctuation, string.whitespace, string.printable
    import inspect\ndef f(a, b=$V, *c, d: int, **e) -> str:\n    "doc"\nresult = str(inspect.signature(f)), f.__doc__, f.__defaults__, f.__annotations__
    import typing\nresult = str(typing.Optional[int]), typing.get_args(typing.Dict[str, int]), str(list[int]), int | str == str | int
    import io, contextlib\nf = io.StringIO()\nwith contextlib.redirect_stdout(f):\n    print($V, $V, sep=$Str, end=$Str)\nresult = f.getvalue()
    import traceback\ntry:\n    $Do\nexcept Exception as e:\n    result = traceback.format_exception_only(type(e), e)[-1].split(':')[0]
    import secrets, random\nresult = len(secrets.token_hex(4)), len(secrets.token_bytes($Count)), random.choice([1]), random.randint(3, 3)
    import tempfile, os\nwith tempfile.TemporaryDirectory() as d:\n    p = os.path.join(d, 'x')\n    with open(p, $Mode) as f:\n        f.write($Written)\n    with open(p, 'rb') as f:\n        result = f.read(), os.path.getsize(p), os.listdir(d)
    import tempfile\nwith tempfile.TemporaryFile('w+', newline=$Newline) as f:\n    f.write($Str)\n    f.seek(0)\n    result = f.readlines()
    import logging, io\ns = io.StringIO()\nl = logging.Logger('x')\nl.addHandler(logging.StreamHandler(s))\nl.warning($Format, $V)\nresult = s.getvalue()
""", SHARED, {
    # What is done with it may take as long as it is large.
    "Int": ["$Small"],
    "V": ["$Small", "0", "1", "'a'", "''", "None", "True", "[1, 2]", "(1,)", "{'a': 1}", "1.5", "$Any"],
    "H": ["1", "'a'", "None", "(1, 2)", "[]"],
    "Call": ["", "1", "1, 2", "1, b=2", "*[1, 2, 3]", "a=1", "1, 2, 3, d=4", "**{'a': 1, 'z': 2}", "1, *(2,), **{'c': 3}", "1, c=2", "b=1, a=2", "1, a=2", "1, 2, c=$V", "*$V", "**$V"],
    "Do": ["raise ValueError($V)", "1 / 0", "{}[$H]", "[][$Small]", "int($Str)", "None.x", "nosuch", "x = $V", "'a' + 1", "raise KeyError", "raise StopIteration($V)", "assert $V, $V", "raise $V", "import nosuch_module", "next(iter([]))", "a, b = $V", "len($V)", "del nosuch",
           "raise OSError(2, 'no')", "raise OSError(13, 'x', 'file')", "b'\\xff'.decode()", "open('/nosuch/file')", "int([])", "raise SystemExit(3)", "from math import nosuch"],
    "Error": ["ValueError", "Exception", "(KeyError, IndexError)", "LookupError", "ArithmeticError", "TypeError", "StopIteration", "OSError"],
    "Jump": ["break", "continue", "return i", "pass", "raise KeyError(i)"],
    "LoopJump": ["break", "continue", "pass"],
    "Last": ["return 2", "pass", "raise KeyError('x')"],
    "Scope": ["return x", "global x\\n    x = 5\\n    return x", "x += 1\\n    return x", "return [x for x in range(3)], x", "del x", "x = 1\\n    return locals()"],
    "Attr": ["'a'", "'real'", "'__name__'", "'nosuch'", "'__class__'", "''", "'upper'", "1"],
    "Name": ["a", "b"],
    "Dunder": ["__add__", "__mul__", "__lt__", "__eq__", "__getitem__", "__and__", "__floordiv__", "__matmul__", "__iadd__"],
    "Reflected": ["__radd__", "__rmul__", "__gt__", "__eq__", "__rand__", "__rfloordiv__", "__rmatmul__", "__rmod__"],
    "Operator": ["+", "*", "<", "==", "&", "//", "@", "%", "-", "|", "is", "in", "**", ">>"],
    "Chain": ["<", "==", "<=", "!=", "in", "is not"],
    "Iterator": ["iter([1, 2])", "self", "[1]", "(x for x in 'ab')", "None"],
    "Iterable": ["[1, 2, 3]", "'abc'", "range($Count)", "{'a': 1}", "[(1, 2)]", "()", "$V"],
    "Subject": ["1", "'a'", "[1, 2]", "(1, 2, 3)", "{'a': 1, 'b': 2}", "None", "[]", "{}", "1.0", "b'a'", "$V"],
    "Pattern": ["1", "'a'", "[x]", "[1, x]", "[x, *_]", "(1, 2, 3)", "{'a': x}", "{}", "[]", "None", "int()", "str(x)", "1 | 2", "1 | 'a'", "{'a': 1, **x}", "[[x]]", "-1", "[*_]", "dict()", "float(x)", "(x)"],
    "Class": ["int", "str", "bytes", "list", "dict", "tuple", "set", "float", "bool", "complex", "bytearray", "frozenset", "object", "range", "type", "ValueError", "slice", "memoryview", "enumerate", "map"],
    "Exception": ["ValueError()", "ValueError($V)", "ValueError($V, $V)", "KeyError($V)", "OSError(2, 'x')", "OSError(2, 'x', 'f')", "OSError($V)", "UnicodeDecodeError('utf-8', b'a', 0, 1, 'r')", "SystemExit($V)", "StopIteration($V)", "FileNotFoundError(2, 'x', 'f')", "ImportError('x', name='n')",
                  "SyntaxError('m', ('f', 1, 2, 't'))", "UnicodeEncodeError('ascii', '\\xe9', 0, 1, 'r')", "ExceptionGroup('g', [ValueError(1)])", "NameError('x')", "RecursionError('deep')", "AttributeError($V)"],
    "Source": ["'1 + 1'", "'x'", "'1 +'", "'(1'", "'a b'", "'x = 1'", "'def f(): pass'", "'[i for i in (1, 2)]'", "'\\'a'", "''", "'  1'", "'1; 2'", "'lambda: 1'", "'\\\\'", "'f\"{1}\"'", "'f\"{\"'", "'print'", "'0777'", "'1_000'", "'1__0'", "'*a'", "'a = b = 1'", "'if 1:\\n    y = 2'", "'yield'", "'return'",
               "'break'", "'del 1'", "'None = 1'", "'\\u4e2d = 1'", "'1if 1else 2'", "'\\t1'", "'x: int = 5'", "'a, b = 1, 2'", "'class C: z = 1'", "'import math'", "'nonlocal x'", "'async def f(): pass'", "'await x'", "'@x\\ndef f(): pass'", "'for i in (): pass'", "'1\\x00'", "'# comment'", "'\"\"\"a'", "'b\"\\xe9\"'",
               "'0x'", "'1e'", "'1.e5'", "'...'", "'x := 1'", "'(y := 1)'", "'not'", "'{1, 2: 3}'", "'f(a=1, 2)'", "'f(**k, *a)'", "'lambda x, x: 1'", "'global x'"],
    "Mode": ["'w'", "'wb'", "'x'", "'a'", "'w+'", "'nosuch'"],
    "Written": ["$Str", "$Bytes", "'a\\nb\\r\\n'"],
    "Newline": ["None", "''", "'\\n'", "'\\r\\n'"],
    "Format": ["'%s'", "'a'", "'%d'", "'%s %s'", "'%r'"],
})
