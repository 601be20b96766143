//! That the interpreter's mistakes are put right wherever handlers meet them: in their files, in what they import, in
//! what they compile. The values themselves stand in `src/python/mends/tables`.

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
