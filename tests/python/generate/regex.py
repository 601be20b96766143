"""`re`: patterns and subjects made of the same few letters, so that they meet."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    re.search($P, $S)
    re.search($P, $S, $Flags)
    re.match($P, $S)
    re.match($P, $S, $Flags)
    re.fullmatch($P, $S)
    re.fullmatch($P, $S, $Flags)
    re.findall($P, $S)
    re.findall($P, $S, $Flags)
    [m.span() for m in re.finditer($P, $S)]
    re.split($P, $S)
    re.split($P, $S, $Small)
    re.sub($P, $Replace, $S)
    re.sub($P, $Replace, $S, $Small)
    re.subn($P, $Replace, $S, flags=$Flags)
    re.sub($P, lambda m: '<' + m.group() + '>', $S)
    re.sub($P, lambda m: repr(m.groups()), $S)
    re.search($BP, $BS)
    re.findall($BP, $BS)
    re.sub($BP, $BReplace, $BS)
    re.split($BP, $BS)
    re.search($P, $Str)
    re.findall($Class, $Str)
    re.findall($Class, $Str, re.A)
    re.findall($Class + '+', $Str, re.I)
    re.sub($Class, '.', $Str)
    re.match($Char, $Char, re.I)
    re.match('[' + re.escape($Char) + '-' + re.escape($Char) + ']', $Char, re.I)
    re.findall($BClass, $Bytes)
    re.escape($Str)
    re.escape($Bytes)
    re.search(re.escape($Str), $Str)
    re.compile($P, $Flags)
    re.compile($P).groups, re.compile($P).groupindex
    repr(re.compile($P, $Flags))
    repr(re.search($P, $S))
    re.compile($P).search($S, $Small, $Count)
    re.compile($P).match($S, $Small)
    re.compile($P).fullmatch($S, $Small, $Small)
    re.compile($P).findall($S, $Small)
    re.compile($Bad)
    re.search($Bad, $S)
    re.sub('a', $BadReplace, $S)
    re.sub('(a)(?P<n>b)?', $BadReplace, $S)
    re.compile($P).scanner($S).search().span()
    m = re.search($P, $S)\nresult = m and (m.start(), m.end(), m.span(), m.pos, m.endpos, m.lastindex, m.lastgroup, m.regs)
    m = re.search($P, $S)\nresult = m and m.expand($Replace)
    m = re.search('(a)(b)?', $S)\nresult = m and (m.group(0, 1, 2), m.groups('x'), m[1], m.span(2))
    m = re.search('(?P<x>a)|(?P<y>b)', $S)\nresult = m and (m.groupdict(), m.lastgroup, m['x'], m.start('y'))
    re.search($BP, $S)
    re.search($P, $Any)
    re.split('$Unit', $S)
    re.split('($Unit)', $S, 1)
    re.search('^$Unit$Quantity$$', $S, $Flags)
    re.findall(r'\\b$Unit', $S)
    re.sub('$Unit*', '-', $S)
    re.sub('$Unit??', '-', $S)
    re.findall('(?=($Unit$Quantity))', $S)
    re.search('(?i:$Unit)$Unit', $S)
    re.search('(?<=$Letter)$Unit', $S)
    re.search('(?<!$Letter)$Unit', $S)
    re.findall('($Letter)(?(1)$Letter|$Letter)', $S)
    re.search('(?>$Unit$Quantity)$Letter', $S)
    re.search('$Letter++$Letter', $S)
    re.Scanner([('a', lambda s, t: t), ('b', None)]).scan($S)
    __import__('fnmatch').translate($Glob)
    __import__('fnmatch').fnmatchcase($S, $Glob)
    __import__('fnmatch').filter([$S, $S], $Glob)
    __import__('glob').escape($S)
    __import__('shlex').split($Shell)
    __import__('shlex').quote($Str)
    __import__('shlex').join([$S, $Str])
    __import__('difflib').ndiff([$S], [$S]).__next__()
    __import__('difflib').SequenceMatcher(None, $S, $S).ratio()
    list(__import__('difflib').unified_diff([$S, 'a'], [$S, 'a'], lineterm=''))
""", SHARED, {
    "Letter": ["a", "b", "c", "\\\\n", ".", "A", "1"],
    "Unit": ["$Letter", "$Letter", "$Set", "(?:$Unit$Unit)", "(?:$Unit|$Unit)", "(?:$Letter)", "($Unit)", "\\\\w", "\\\\d", "\\\\s", "\\\\W", "\\\\b", "\\\\B"],
    "Set": ["[ab]", "[^a]", "[a-c]", "[^a-b1]", "[\\\\w]", "[^\\\\s]", "[-a]", "[]a]", "[a^]", "[\\\\]b]", "[.]"],
    "Quantity": ["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{1,}?", "{0}", "*+", "{2}?", "{1,2}+"],
    "Sequence": ["$Unit$Quantity", "$Unit$Quantity$Sequence", "$Unit$Sequence", "$Anchor$Sequence", "(?P<n>$Unit)$Sequence", "($Sequence)$Quantity", "$Sequence|$Sequence",
                 "(?:$Sequence)$Quantity", "(?=$Unit)$Sequence", "(?!$Unit)$Sequence", "(?<=$Letter)$Sequence", "(?<!$Letter)$Sequence", "($Unit)\\\\1",
                 "($Unit)?(?(1)$Unit|$Unit)", "(?i:$Unit)", "(?>$Unit$Quantity)", "($Letter)|($Letter)"],
    "Anchor": ["^", "$", "\\\\b", "\\\\B", "\\\\A", "\\\\Z"],
    "P": ["'$Sequence'", "'$Sequence'", "'$Sequence'", "'(?$Inline)$Sequence'"],
    "Inline": ["i", "m", "s", "x", "a", "im", "u", "L"],
    "BP": ["b'$Sequence'"],
    "S": ["'$Run'", "'$Run$Run'", "'$Run$Run$Run'", "''", "'aabbcc'", "'a b c'", "'abcabc1'"],
    "BS": ["b'$Run'", "b'$Run$Run'", "b'$Run$Run\\xe9'", "b''"],
    "Run": ["a", "b", "ab", "c", "A", "aa", "\\n", " ", "1", "ba", "abc", "_", "-"],
    "Flags": ["0", "re.I", "re.M", "re.S", "re.X", "re.A", "re.I | re.M", "re.S | re.I", "re.U", "re.DOTALL | re.VERBOSE"],
    "Replace": ["''", "'x'", "'[\\\\g<0>]'", "'\\\\\\\\'", "'\\\\n'", "'$'", "'\\\\0'", "'\\\\g<0>\\\\g<0>'", "'\\u4e2d'"],
    "BReplace": ["b''", "b'x'", "b'[\\\\g<0>]'", "b'\\xff'"],
    "BadReplace": ["'\\\\1'", "'\\\\2'", "'\\\\g<n>'", "'\\\\g<1>'", "'\\\\g<'", "'\\\\q'", "'\\\\g<x>'", "'\\\\'", "'\\\\101'", "'\\\\g<01>'", "'\\\\08'", "'\\\\g<-1>'", "'\\\\3'", "'\\\\11'", "b'x'"],
    "Class": [r"r'\w'", r"r'\W'", r"r'\d'", r"r'\s'", r"r'\S'", r"r'\b'", r"r'\D+'", r"'[^\\W\\d_]'", r"'[\\s-]'", r"'[a-z]'", r"'[\xe0-\xff]'", r"'.'", r"'[^a]'", r"'[\u0100-\u0300]'"],
    "BClass": [r"rb'\w'", r"rb'\s'", r"rb'[\x80-\xff]+'", r"rb'.'", r"rb'(?i)[a-z\xe0]'", r"rb'\W'", r"rb'\b.'"],
    "Bad": ["'('", "')'", "'['", "'*'", "'a**'", "'a{2}{3}'", "'(?P<a>x)(?P<a>y)'", "'(?P<1>x)'", "'(?P=x)'", "'\\\\1'", "'(?z)'", "'a(?i)b'", "'(?<=a*)b'", "'[b-a]'", "'\\\\'",
            "'\\\\q'", "'(?#'", "'(?#x)a'", "'\\\\x1'", "'\\\\u12'", "'[\\\\d-z]'", "'(?(1)a|b|c)'", "'(?(2)a)'", "'a{1,0}'", "'a{'", "'a{,}'", "'\\\\400'", "'\\\\N{DIGIT ONE}'", "'(?L)a'",
            "'(?iu-s:a)'", "'(?-i:a)'", "'a||b'", "'|'", "'()'", "'(?:)*'", "'(a*)*'", "'(a*)+?'", "'(?P>x)'", "'(?<x>a)'", "'[[:alpha:]]'", "'[a&&b]'", "'\\\\Z'", "'\\\\z'", "'\\\\07'", "'x{99999999999}'"],
    "Glob": ["'*'", "'a*'", "'?b'", "'[ab]*'", "'[!a]'", "'[^a]b'", "'a[-]b'", "'**a'", "'['", "'[]a]'", "'a.b'", "'[b-a]'", "'[a-c-e]'", "'*.[ch]'", "''"],
    "Shell": ["'a b'", "'\"a b\" c'", "\"'a' b\"", "'a\\\\ b'", "''", "'\"'", "'a # b'", "'a\"b\"c'", "'\\\\'", "'a\\tb\\nc'", "'\"\\\\n\\\\\"\"'", "$Str"],
})
