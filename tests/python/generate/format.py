"""Format specifications, `%`, f-strings and `string.Formatter`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    format($Int, $IntSpec)
    format($Int, $IntSpec)
    format($Float, $FloatSpec)
    format($Float, $FloatSpec)
    format($Int, $FloatSpec)
    format($Float, $AnySpec)
    format($Str, $StrSpec)
    format($Str, $StrSpec)
    format($Str, $AnySpec)
    format($Bool, $IntSpec)
    format($Bool, $StrSpec)
    format($Any, $AnySpec)
    format(complex($Float, $Float), $FloatSpec)
    format(datetime.date(2020, 2, $Day), $DateSpec)
    format(decimal.Decimal($Decimal), $FloatSpec)
    $IntPercent % $Int
    $IntPercent % $Int
    $IntPercent % ($Any,)
    $FloatPercent % $Float
    $FloatPercent % $Float
    $FloatPercent % ($Any,)
    $StrPercent % ($Str,)
    $StrPercent % ($Str,)
    $StrPercent % ($Any,)
    $StrPercent % $Any
    '%s and %s' % ($Any, $Any)
    '%(a)s %(b)d' % {'a': $Str, 'b': $Int}
    '%(a)s' % {$Str: 1}
    '%*d|%-*d' % ($Small, $Int, $Small, $Int)
    '%.*f' % ($Small, $Float)
    '%*s' % ($Count, $Str)
    $Wild % ($Any, $Any)
    $Wild % $Any
    $Braces.format($Any, $Any, a=$Any)
    $Braces.format($Any, $Any, a=$Any)
    $Braces.format_map({'a': $Any})
    '{:{}}'.format($Str, $StrSpec)
    '{0:{1}.{2}f}'.format($Float, $Count, $Count)
    '{!r:>20}|{!s}|{!a}'.format($Str, $Any, $Str)
    '{0[0]}{0[1]}'.format([$Any, $Any])
    '{0[key]}'.format({'key': $Any})
    '{0.real}'.format($Int)
    '{:,}|{:_}|{:_x}'.format($Int, $Int, $Int)
    '{:%Y-%m-%d %H}'.format(datetime.datetime(2021, 3, $Day, 4, 5, 6))
    list(string.Formatter().parse($Braces))
    string.Formatter().format($Braces, $Any, $Any, a=$Any)
    string.Formatter().vformat('{0} {a}', ($Any,), {'a': $Any})
    x = $Float\nresult = f'{x}|{x:.3}|{x:10.2f}|{x!r}|{x=}'
    x = $Int\nresult = f'{x:5}|{x:<7x}|{x:+}|{x=:#x}'
    x = $Str\nresult = f'{x}|{x!r}|{x!a:^12}|{x:>8.3}'
    x, w = $Float, $Count\nresult = f'{x:{w}.{w}e}|{x:>{w}}'
    x = $Any\nresult = f'{x!s:*^15}|{x!r}'
    x = $Any\nresult = f'{x:$Bare}'
    x = $Int\nresult = f'{x:$Bare}'
    x = $Float\nresult = f'{x:$Bare}'
    x = $Str\nresult = f'{{{x}}}' f'{x!r:{"^"}{10}}'
    repr($Any)
    str([$Any, $Any])
    str({$Str: $Any})
    repr(($Any,))
    repr({'a': [$Float, ($Str,)]})
    ascii([$Str, $Any])
    '%r %a' % ($Str, $Str)
    '%s' % [$Any]
    'a%sb%%' % $Str
    '%c%c' % ($Octet, $Char)
    '%c' % $Any
    '%x %X %o' % ($Int, $Int, $Int)
    '%#x %#o %#X' % ($Int, $Int, $Int)
    str(datetime.timedelta($Small, $Small))
    $Float.__format__($FloatSpec)
    object.__format__($Any, $Bare2)
    textwrap.fill('%s' % $Str, $Count)
    class C:\n    def __format__(self, spec):\n        return 'C' + spec\nresult = format(C(), $StrSpec), f'{C():x>3}', '{:a}'.format(C())
    class C:\n    def __str__(self):\n        return $Str\nresult = '%5s' % C(), f'{C()!s:>4}', str(C())
    class C:\n    def __repr__(self):\n        return $Str\nresult = '%r' % C(), f'{C()!r:>4}', str(C()), '%a' % C()
    class C:\n    def __index__(self):\n        return $Int\nresult = '%x' % C()
    class C:\n    def __int__(self):\n        return 7\nresult = '%d' % C()
    class C:\n    def __float__(self):\n        return $Float\nresult = '%.2f' % C()
""", SHARED, {
    "Day": ["1", "9", "15", "28"],
    "Fill": ["", "", "", "<", ">", "^", "=", "0<", "*^", "x>", "_=", "{<", "}>", "\\xe9^", "\\u4e2d>", "\\ud800<", " =", "-<", "\\0>"],
    "Sign": ["", "", "", "+", "-", " "],
    "Alt": ["", "", "#", "z", "0", "#0", "z0"],
    "Width": ["", "", "0", "1", "5", "8", "12", "05", "20"],
    "Group": ["", "", ",", "_"],
    "Precision": ["", "", ".0", ".1", ".2", ".3", ".6", ".10", ".17", ".", ".20", ".50"],
    "IntType": ["", "d", "x", "X", "o", "b", "c", "n", "e", "f", "g", "%", "s", "F", "G", "E", "r"],
    "FloatType": ["", "", "f", "F", "e", "E", "g", "G", "n", "%", "d", "s"],
    "IntSpec": ["'$Fill$Sign$Alt$Width$Group$IntType'", "'$Width$Group$IntType'", "'$Fill$Width$IntType'", "'$Sign$Alt$Width$Group$Precision$IntType'"],
    "FloatSpec": ["'$Fill$Sign$Alt$Width$Group$Precision$FloatType'", "'$Width$Precision$FloatType'", "'$Sign$Precision$FloatType'"],
    "StrSpec": ["'$Fill$Width$Precision'", "'$Fill$Width'", "'$Fill$Width${Precision}s'", "'$Fill$Sign$Alt$Width$Group${Precision}s'",
                "'$Fill$Alt$Width'"],
    "AnySpec": ["$IntSpec", "$FloatSpec", "$StrSpec", "''", "'$Fill$Width'", "$Str"],
    "Bare": [">10", "<5", "^8.3", "+.2f", "06d", ",", "_b", "", "x", "#X", "e", "%", ".0f", "z.1f", "10", "s", "c"],
    "Bare2": ["''", "'x'"],
    "DateSpec": ["'%d.%m.%y'", "''", "'%j %U %a %B'", "'%%'", "'%Q'", "'%'", "'%-d'", "'\\u4e2d%Y'", "'%G-W%V-%u'"],
    "Decimal": ["'1.5'", "'-0'", "'1E+10'", "'123456.789'", "'NaN'", "'Infinity'"],
    "Flags": ["", "", "0", "-", "+", " ", "#", "-0", "+0", " #"],
    "IntPercent": ["'%$Flags$Width${Precision}d'", "'%$Flags$Width${Precision}x'", "'%$Flags${Width}i'", "'%$Flags$Width${Precision}o'",
                   "'%$Flags$Width${Precision}X'", "'%$Flags${Width}c'", "'%${Flags}u'", "'%$Flags$Width${Precision}f'"],
    "FloatPercent": ["'%$Flags$Width${Precision}f'", "'%$Flags$Width${Precision}e'", "'%$Flags$Width${Precision}g'",
                     "'%$Flags$Width${Precision}G'", "'%$Flags$Width${Precision}F'", "'%$Flags$Width${Precision}d'", "'%${Flags}${Width}r'"],
    "StrPercent": ["'%$Flags$Width${Precision}s'", "'%$Flags$Width${Precision}r'", "'%$Flags$Width${Precision}a'", "'%${Width}c'"],
    "Wild": ["'%'", "'%%'", "'%s'", "'%s%s'", "'%s%s%s'", "'%y'", "'%(a)s'", "'%('", "'%5'", "'%l d'", "'%ld'", "'%hs'", "'%.'", "'%-'", "'%s%%%d'",
             "'%.200d'", "'a'", "''", "'%((a))s'", "'%.*d'", "'%*d'"],
    "Braces": ["'{} {}'", "'{0}{1}{0}'", "'{a}'", "'{a!r}'", "'{0!s:>8}'", "'{'", "'}'", "'{{}}'", "'{{{a}}}'", "'{0} {}'", "'{}{0}'", "'{!x}'", "'{0!}'",
               "'{:{}}'", "'{0:{a}}'", "'{2}'", "'{b}'", "'{0.x}'", "'{0[0]}'", "'{0[a]}'", "'{a.b[c]}'", "'{:{:{}}}'", "'{0'", "'a}b'", "'{ }'", "'{ 0}'",
               "'{-1}'", "'{0:}'", "'{0!r:.3}'", "'{:>{a}}'", "'{a:=+}'", "'{0!r'", "'{0[}'", "'{0[]}'", "'{0.}'", "'{!r}'", "'{0:!<5}'", "'{0!ra}'", "'{:,}'",
               "'{0:d}'", "'{0:s}|{a:s}'", "'{01}'", "'{+1}'", "'{1e}'"],
})
