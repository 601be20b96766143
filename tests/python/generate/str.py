"""Methods and operators of `str`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    $Text.strip()
    $Text.strip($Text)
    $Text.lstrip($Some)
    $Text.rstrip($Some)
    $Text.split()
    $Text.split($Some)
    $Text.split($Some, $Small)
    $Text.split(maxsplit=$Small)
    $Text.rsplit($Some, $Small)
    $Text.rsplit()
    $Text.rsplit(None, $Small)
    $Text.splitlines()
    $Text.splitlines($Bool)
    $Text.partition($Text)
    $Text.rpartition($Text)
    $Text.find($Text)
    $Text.find($Text, $Bound)
    $Text.rfind($Text, $Bound, $Bound)
    $Text.index($Text)
    $Text.rindex($Text, $Bound)
    $Text.count($Text)
    $Text.count($Text, $Bound, $Bound)
    $Text.replace($Text, $Text)
    $Text.replace($Text, $Text, $Small)
    $Text.startswith($Text)
    $Text.startswith(($Text, $Text), $Bound)
    $Text.startswith($Text, $Bound, $Bound)
    $Text.endswith($Text, $Bound, $Bound)
    $Text.endswith(($Text, $Text))
    $Text.removeprefix($Text)
    $Text.removesuffix($Text)
    $Text.center($Count)
    $Text.center($Count, $Char)
    $Text.ljust($Count, $Char)
    $Text.rjust($Count, $Char)
    $Text.zfill($Count)
    $Text.expandtabs()
    $Text.expandtabs($Small)
    $Text.$Change()
    $Text.$Change()
    $Text.$Change()
    $Char.$Change()
    $Text.$Ask()
    $Text.$Ask()
    $Char.$Ask()
    $Char.$Ask()
    $Text.join([$Text, $Text, $Text])
    $Text.join($Text)
    $Text.join([$Any])
    $Text.translate({$Octet: $Some, 97: $Some, $Small: None})
    $Text.translate(str.maketrans("abc", "xyz", $Text))
    str.maketrans($Text, $Text)
    str.maketrans({$Char: $Some})
    $Text[$Slice]
    $Text[$Slice]
    $Text[$Small]
    $Text + $Text
    $Text * $Small
    $Text in $Text
    $Text < $Text
    $Text == $Text
    $Text >= $Any
    $Text + $Any
    len($Text)
    repr($Text)
    repr($Char)
    ascii($Text)
    str($Any)
    str($Bytes, $Codec, $Errors)
    $Text.encode($Codec, $Errors)
    list($Text)
    sorted($Text)
    [ord(c) for c in $Text]
    chr($Int)
    ord($Text)
    int($Text)
    int($Text, $Count)
    float($Text)
    complex($Text)
    hash($Text) == hash($Text[:])
    min($Text)
    max($Text, $Text)
    $Text.$Ask(), $Text.$Change().$Ask()
    $Text.$Change().$Change()
    $Text.strip($Any)
    $Text.find($Any)
    $Text.replace($Text, $Any)
    $Text.center($Any)
    $Text.split($Any)
    x = $Text\nresult = f"{x!r:>{$Count}}"
    x, y = $Text, $Text\nresult = f"{x!a}|{y!s:.{$Count}}|{x:{y}}"
    textwrap.wrap($Text, 10)
    textwrap.dedent($Text)
    textwrap.indent($Text, "> ")
    textwrap.shorten($Text, 12)
    textwrap.fill($Text * 3, $Count)
    string.capwords($Text)
    string.Template($Dollar).substitute(a=$Text, b=$Small)
    string.Template($Dollar).safe_substitute(a=$Text)
    html.escape($Text)
    html.escape($Text, $Bool)
    html.unescape($Entity)
    html.unescape($Text)
    class S(str):\n    pass\nresult = [type(S($Text).$Change()), S($Text) == $Text, S($Text)[:], repr(S($Text))]
    result = $Text\nresult += $Text\nresult *= $Count
    a, *b = $Text\nresult = a, b
""", SHARED, {
    "Text": ["$Str", "$Str", "$Str", "v($Str)", "($Str + $Str)"],
    "Some": ["None", "$Text", "$Text", "$Char"],
    "Change": ["upper", "lower", "title", "capitalize", "swapcase", "casefold"],
    "Ask": ["isalpha", "isalnum", "isdigit", "isdecimal", "isnumeric", "isspace", "isupper", "islower", "istitle", "isidentifier",
            "isprintable", "isascii"],
    "Codec": ["'utf-8'", "'ascii'", "'latin-1'", "'utf-16'", "'utf-16-le'", "'utf-32-be'", "'cp1252'", "'utf-7'"],
    "Errors": ["'strict'", "'ignore'", "'replace'", "'surrogateescape'", "'surrogatepass'", "'backslashreplace'"],
    "Dollar": ["'$$a $b'", "'$a'", "'${a}x'", "'$'", "'$c'", "'$$$$'", "'$1'", "'${a'"],
    "Entity": ["'&amp;'", "'&lt'", "'&#65;'", "'&#x41'", "'&#0;'", "'&#128;'", "'&#xD800;'", "'&#x110000;'", "'&notit;'", "'&nosuch;'",
               "'&Aacute'", "'&#'", "'&#x;'", "'&AMP&GT;'", "'&#11;'", "'&#xfffe;'"],
})
