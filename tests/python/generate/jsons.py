"""`json` and `ast.literal_eval`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    json.dumps($V)
    json.dumps($V)
    json.dumps($V, ensure_ascii=False)
    json.dumps($V, indent=$Indent)
    json.dumps($V, indent=$Indent, separators=$Separators)
    json.dumps($V, separators=$Separators)
    json.dumps($V, sort_keys=True)
    json.dumps($V, skipkeys=True)
    json.dumps($V, allow_nan=False)
    json.dumps($V, default=str)
    json.dumps($V, default=lambda o: [1])
    json.dumps($Str)
    json.dumps($Str, ensure_ascii=False)
    json.dumps($Float)
    json.dumps($Any)
    json.dumps({$Any: 1})
    json.dumps({$K: $V, $K: $V}, indent=$Indent, sort_keys=$Bool)
    json.loads($J)
    json.loads($J)
    json.loads($J)
    json.loads('$JV')
    json.loads('$JV')
    json.loads(json.dumps($V))
    json.loads(json.dumps($Str, ensure_ascii=$Bool))
    json.loads($Str)
    json.loads($Bytes)
    json.loads($J, parse_float=str)
    json.loads($J, parse_int=float, parse_constant=str)
    json.loads($J, object_pairs_hook=list)
    json.loads($J, object_hook=len)
    json.loads($J, strict=False)
    json.loads('"' + $Raw + '"')
    json.loads('"' + $Raw + '"', strict=False)
    json.loads($J.encode($Codec))
    json.loads(bytearray($J, 'utf-8'))
    json.loads($Any)
    json.JSONDecoder().raw_decode($J)
    json.JSONDecoder().raw_decode($J, $Count)
    list(json.JSONEncoder(indent=$Indent).iterencode($V))
    json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode($V)
    json.encoder.encode_basestring($Str)
    json.encoder.encode_basestring_ascii($Str)
    json.decoder.scanstring($Raw + '" x', 0)
    f = io.StringIO()\njson.dump($V, f, indent=$Indent)\nresult = f.getvalue()
    json.load(io.StringIO($J))
    json.load(io.BytesIO($J.encode('utf-8', 'surrogatepass')))
    try:\n    result = json.loads($J)\nexcept json.JSONDecodeError as e:\n    result = e.pos, e.lineno, e.colno, e.doc
    class E(json.JSONEncoder):\n    def default(self, o):\n        return repr(o)\nresult = json.dumps([$Any, $V], cls=E)
    a = []\na.append(a)\nresult = json.dumps(a)
    class D(dict):\n    pass\nclass I(int):\n    pass\nresult = json.dumps([D(a=$V), I($Int), (1,)])
    __import__('ast').literal_eval($Literal)
    __import__('ast').literal_eval($Literal)
    __import__('ast').literal_eval(repr($V))
    __import__('pprint').pformat($V, width=$Count)
    __import__('reprlib').repr([$V, $Str * 9])
    __import__('configparser').ConfigParser().read_string($Str)
    list(__import__('csv').reader($Rows))
    f = io.StringIO()\n__import__('csv').writer(f, quoting=$Quoting).writerow([$Str, $Any, $Float])\nresult = f.getvalue()
    list(map(dict, __import__('csv').DictReader($Rows)))
    __import__('pickle').loads(__import__('pickle').dumps($V, $Protocol))
    copy.deepcopy($V)
    copy.copy($V)
""", SHARED, {
    "K": ["$Str", "$Str", "$Int", "$Float", "None", "True", "'b'", "'a'", "b'x'", "(1,)"],
    "V": ["$Small", "$Str", "$Float", "$Int", "None", "True", "[]", "{}", "[$V]", "[$V, $V]", "{$K: $V}", "{$K: $V, $K: $V}", "($V, $V)", "[[$V], {$K: [$V]}]", "$Any"],
    "Indent": ["None", "0", "1", "2", "4", "'\\t'", "'--'", "-1", "True"],
    "Separators": ["(',', ':')", "(', ', ': ')", "(';', '=')", "None", "('', '')"],
    "Codec": ["'utf-8'", "'utf-16'", "'utf-16-le'", "'utf-32-be'", "'utf-8-sig'"],
    "J": ["'$JV'", "'[$JV]'", "'{\"a\": $JV}'", "'[$JV, $JV]'", "'{\"a\": $JV, \"b\": $JV}'", "' $JV\\n'", "'$JV$JV'", "'[$JV'", "'{\"a\" $JV}'", "'{\"a\":$JV,}'", "'[$JV,]'", "'$JV]'"],
    "JV": ["0", "-0", "1", "-1", "1.0", "-0.0", "1e5", "1E+2", "1e400", "-1e-400", "01", "+1", ".5", "5.", "-", "1e", "NaN", "Infinity", "-Infinity", "-NaN", "nan", "true", "false", "null",
           "True", "nul", "\"\"", "\"a\"", "\"\\\\u00e9\"", "\"\\\\ud83d\\\\ude00\"", "\"\\\\ud83d\"", "\"\\\\ud83dx\"", "\"\\\\udc00\"", "\"\\\\ud83d\\\\u0041\"", "\"\\\\u12\"", "\"\\\\x\"", "\"\\\\/\\\\b\\\\f\\\\n\"",
           "\"a\\n\"", "\"\\\\u 123\"", "\"\\\\u0x12\"", "\"\\\\u+123\"", "\"\\u4e2d\"", "\"\\ud800\"", "\"", "\\'a\\'", "[]", "{}", "[ ]", "{ }", "[1 , 2]", "{\"a\":1 ,\"a\":2}", "{1: 2}", "{\"a\"}", "{,}", "[,]",
           "123456789012345678901234567890", "0.1", "3.141592653589793238", "9007199254740993", "1_000", "\\ufeff1", "\\xa01", "1\\x0b", "/**/1", "\\u0661", "[[[]]]", "1.5e+3", "2.5E-3"],
    "Raw": ["$Str", "'a\\\\nb'", "'\\\\u00e9'", "'\\\\ud800\\\\udc00'", "'\\\\'", "'\\\\u'", "'tab\\t'", "'\\x7f'", "'\\0'", "'\\\\ud83d\\\\'"],
    "Literal": ["repr($V)", "'1'", "'-1'", "'+1'", "'1+2j'", "'1+2'", "'--1'", "'[1, ]'", "' 1'", "'a'", "'\"a\" \"b\"'", "'b\"a\"'", "'{1, 2}'", "'{*()}'", "'set()'", "'f\"x\"'", "'None'", "'(1)'", "'1,'", "''", "'\\\\'",
                "'1e400'", "'{**{}}'", "'...'", "'\\t1'", "'#c'", "'1 #c'", "'0777'", "'0o7'", "'1_0'", "'\\'\\\\x41\\''", "'-True'", "'not 1'", "$Str"],
    "Rows": ["['a,b', '1,2']", "['\"a\",\"b\"\"c\"']", "['a;b']", "['\"a', 'b\",c']", "['']", "['a,\"b\"c']", "[$Str]", "[$Str, $Str]", "[' a, b']", "['a,,']"],
    "Quoting": ["0", "1", "2", "3"],
    "Protocol": ["0", "1", "2", "3", "4", "5"],
})
