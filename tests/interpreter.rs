//! The mends work wherever handlers meet the interpreter's mistakes: in their files, in imported modules, and in code that they
//! compile. The values themselves are in `src/python/mends/tables`.

use crate::util::Server;

#[test]
fn literals_are_computed_alike_in_handlers_helpers_and_compiled_text() {
    let server = Server::start(&[
        ("helper.py", "VALUE = 4 // 0.5\ndef default(x=10 ** -23):\n    return x\n"),
        (
            "h.py",
            "# -*- coding: latin-1 -*-\n\
             import helper, timeit\n\
             TOP = 1000 // 100.0\n\
             def main(request, response):\n\
             \x20   names = {}\n\
             \x20   exec('x = 20 // -1.0', names)\n\
             \x20   timer = timeit.Timer('l.append(6 // 0.5)', globals={'l': (l := [])}).timeit(1)\n\
             \x20   return f'{TOP} {helper.VALUE} {helper.default()} {names[\"x\"]} {eval(\"8 // 0.5\")} {2 // 0.5} {l}'\n",
        ),
    ]);
    assert_eq!(server.get("/h.py").ok(), "10.0 8.0 1e-23 -20.0 16.0 4.0 [12.0]");
}

#[test]
fn urls_are_quoted_byte_by_byte() {
    let server = Server::start(&[(
        "h.py",
        "from urllib.parse import quote, urlencode\n\
         def main(request, response):\n\
         \x20   return quote('š') + ' ' + urlencode({'q': '中'}) + ' ' + repr(request.body.strip(b'\\xff'))\n",
    )]);
    assert_eq!(server.get("/h.py").ok(), "%C5%A1 q=%E4%B8%AD b''");
}

/// RustPython#7586: an import in a thread that Python code has started recursed for ever.
#[test]
fn threads_of_a_handler_import_and_recurse_like_the_handler() {
    let server = Server::start(&[
        ("helper.py", "VALUE = 5\n"),
        (
            "h.py",
            "import threading\n\
             def deep(n):\n\
             \x20   return deep(n + 1)\n\
             def work(results):\n\
             \x20   import xml.etree.ElementTree, email.mime.multipart, http.cookies, decimal, helper\n\
             \x20   try:\n\
             \x20       deep(0)\n\
             \x20   except RecursionError as error:\n\
             \x20       results.append((str(error), helper.VALUE, str(decimal.Decimal('0.1') * 3)))\n\
             def main(request, response):\n\
             \x20   results = []\n\
             \x20   threads = [threading.Thread(target=work, args=(results,)) for _ in range(4)]\n\
             \x20   for thread in threads: thread.start()\n\
             \x20   for thread in threads: thread.join()\n\
             \x20   return repr((len(results), set(results)))\n",
        ),
    ]);
    assert_eq!(server.get("/h.py").ok(), "(4, {('maximum recursion depth exceeded', 5, '0.3')})");
}

/// RustPython#8325: generators and other iterators that several threads go on with, which CPython's lock keeps apart.
#[test]
fn iterators_shared_by_threads_lose_nothing_and_end_no_process() {
    let server = Server::start(&[(
        "h.py",
        "import itertools, threading\n\
             def numbers():\n\
             \x20   for number in range(4000): yield number\n\
             def finishing():\n\
             \x20   try:\n\
             \x20       while True: yield 1\n\
             \x20   finally: pass\n\
             def together(work):\n\
             \x20   threads = [threading.Thread(target=work) for _ in range(4)]\n\
             \x20   for thread in threads: thread.start()\n\
             \x20   for thread in threads: thread.join()\n\
             def main(request, response):\n\
             \x20   seen, generator, cycle = [], numbers(), itertools.cycle([1, 2, 3])\n\
             \x20   def take():\n\
             \x20       while True:\n\
             \x20           try: seen.append(next(generator))\n\
             \x20           except StopIteration: return\n\
             \x20           except ValueError: pass  # already executing\n\
             \x20           next(cycle)\n\
             \x20   together(take)\n\
             \x20   def close():\n\
             \x20       for _ in range(200):\n\
             \x20           one = finishing()\n\
             \x20           for step in (next, lambda it: it.throw(KeyError), lambda it: it.close(), lambda it: next(it, None)):\n\
             \x20               try: step(one)\n\
             \x20               except KeyError: pass\n\
             \x20   together(close)\n\
             \x20   return repr((sorted(seen) == list(range(4000)), next(cycle) in (1, 2, 3)))\n",
    )]);
    assert_eq!(server.get("/h.py").ok(), "(True, True)");
}
