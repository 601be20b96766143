"""`unicodedata`, identifiers and the classes of characters, for all code points that Unicode 14 knows."""

from grammar import Grammar
from pieces import SHARED, assigned, escaped

GRAMMAR = Grammar(__name__, r"""
    unicodedata.name($One, None)
    unicodedata.category($One)
    unicodedata.bidirectional($One)
    unicodedata.combining($One)
    unicodedata.east_asian_width($One)
    unicodedata.mirrored($One)
    unicodedata.decomposition($One)
    unicodedata.numeric($One, None)
    unicodedata.decimal($One, None)
    unicodedata.digit($One, None)
    unicodedata.numeric($One)
    unicodedata.name($Str)
    unicodedata.lookup(unicodedata.name($One, 'SPACE'))
    unicodedata.lookup($Name)
    unicodedata.normalize($Form, $Str)
    unicodedata.normalize($Form, $Few)
    unicodedata.normalize($Form, $Few)
    unicodedata.normalize('x', $Str)
    unicodedata.is_normalized($Form, $Few)
    unicodedata.normalize($Form, $Few) == $Few
    $One.upper(), $One.lower(), $One.title(), $One.casefold(), $One.swapcase(), $One.capitalize()
    $One.isalpha(), $One.isdigit(), $One.isdecimal(), $One.isnumeric(), $One.isspace(), $One.isalnum()
    $One.isupper(), $One.islower(), $One.istitle(), $One.isprintable(), $One.isidentifier()
    repr($One)
    repr($Few)
    ('a' + $One).isidentifier()
    $Few.upper(), $Few.lower(), $Few.title()
    $Few.casefold() == $Few.lower()
    int($One)
    float($One)
    $One.split(), ('a' + $One + 'b').split(), ('a' + $One).strip()
    ('a' + $One + 'b').splitlines()
    re.match(r'\\w', $One), re.match(r'\\s', $One), re.match(r'\\d', $One)
    re.match($One, $One.upper(), re.I), re.match($One, $One.lower(), re.I)
    $One.encode('utf-8'), $One.encode('utf-16-le'), $One.encode('unicode_escape')
    json.dumps($Few)
    '\\N{DIGIT ONE}\\N{greek small letter alpha}'
    unicodedata.ucd_3_2_0.category($One)
""", SHARED, {
    "One": lambda rng: escaped(assigned(rng)),
    "Few": lambda rng: escaped("".join(assigned(rng) for _ in range(rng.randrange(1, 4)))),
    "Form": ["'NFC'", "'NFD'", "'NFKC'", "'NFKD'"],
    "Name": ["'DIGIT ONE'", "'digit one'", "'CJK UNIFIED IDEOGRAPH-4E2D'", "'HANGUL SYLLABLE GA'", "'NO SUCH'", "''", "'LATIN SMALL LETTER GHA'", "'LF'", "'BEL'", "'NULL'", "'KEYCAP DIGIT ONE'", "$Str"],
})
