"""Methods and operators of `bytes`, `bytearray` and `memoryview`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    $B.strip()
    $B.strip($B)
    $B.lstrip()
    $B.lstrip($B)
    $B.rstrip()
    $B.rstrip($B)
    $B.strip(None)
    $B.split()
    $B.split($B)
    $B.split($B, $Small)
    $B.split(None, $Small)
    $B.split(maxsplit=$Small)
    $B.rsplit()
    $B.rsplit($B, $Small)
    $B.rsplit(None, $Small)
    $B.splitlines()
    $B.splitlines($Bool)
    $B.partition($B)
    $B.rpartition($B)
    $B.find($B)
    $B.find($Octet)
    $B.find($B, $Bound, $Bound)
    $B.rfind($B, $Bound)
    $B.index($B)
    $B.rindex($Octet, $Bound)
    $B.count($B)
    $B.count($Octet, $Bound, $Bound)
    $B.replace($B, $B)
    $B.replace($B, $B, $Small)
    $B.startswith($B)
    $B.startswith(($B, $B), $Bound)
    $B.endswith($B, $Bound, $Bound)
    $B.endswith(($B, $B))
    $B.removeprefix($B)
    $B.removesuffix($B)
    $B.center($Count)
    $B.center($Count, $One)
    $B.ljust($Count, $One)
    $B.rjust($Count, $One)
    $B.zfill($Count)
    $B.expandtabs()
    $B.expandtabs($Small)
    $B.$Change()
    $B.$Change()
    $B.$Ask()
    $B.$Ask()
    $One.$Ask()
    $B.join([$B, $B, $B])
    $B.join([$Any])
    $B.translate($B * 0 + bytes(range(255, -1, -1)))
    $B.translate(None, $B)
    $B.translate(bytes(range(256)), delete=$B)
    $B.translate(bytes.maketrans(b"abc", b"\\xff\\0z"))
    bytes.maketrans($B, $B)
    $B[$Slice]
    $B[$Slice]
    $B[$Small]
    $B + $B
    $B * $Small
    $B in $B
    $Octet in $B
    $Any in $B
    $B < $B
    $B == $B
    $B == $Any
    $B + $Any
    len($B)
    repr($B)
    str($B)
    $B.decode()
    $B.decode($Codec, $Errors)
    list($B)
    bytes($Modest)
    bytearray($Modest)
    bytes([$Octet, $Octet, $Small])
    bytes($Count)
    bytes($Str, $Codec)
    bytes($Str, $Codec, $Errors)
    bytes.fromhex($Hex)
    bytearray.fromhex($Hex)
    $B.hex()
    $B.hex($Sep)
    $B.hex($Sep, $Small)
    int.from_bytes($B, $Order)
    int.from_bytes($B, $Order, signed=$Bool)
    int($B)
    int($B, $Count)
    float($B)
    hash($B) == hash($B[:])
    min($B)
    $B.strip($Any)
    $B.find($Any)
    $B.replace($B, $Any)
    $B.center($Any)
    $B.split($Any)
    bytes(memoryview($B)[$Slice])
    memoryview($B)[$Slice].tolist()
    memoryview($B) == $B
    memoryview($B).hex()
    memoryview($B * 8).cast($View).tolist()
    memoryview($B)[$Small]
    a = $Array\na[$Slice] = $B\nresult = a
    a = $Array\na[$Small] = $Octet\nresult = a
    a = $Array\ndel a[$Slice]\nresult = a
    a = $Array\na += $B\na *= $Count\nresult = a
    a = $Array\na.append($Octet)\na.extend($B)\na.insert($Small, $Octet)\nresult = a
    a = $Array\nresult = a.pop($Small), a
    a = $Array\na.remove($Octet)\nresult = a
    a = $Array\na.reverse()\nresult = a, a.copy(), bytes(a)
    a = $Array\nm = memoryview(a)\nm[:1] = $One\nresult = a
    a = $Array\na.clear()\nresult = a
    array.array($Code, $B)
    array.array($Code, [$Small, $Octet]).tobytes()
    a = array.array($Code, [$Octet, $Octet])\na.byteswap()\nresult = a, a.itemsize
    a = array.array("B", $B)\nresult = a[$Slice], a.count($Octet), a.tolist()
    repr(array.array($Code, [$Octet]))
    x, y = $B, $B\nresult = x.$Ask(), y.$Change().$Ask()
    f = io.BytesIO($B)\nresult = f.read($Small), f.readline(), f.tell(), f.read()
    f = io.BytesIO($B)\nf.seek($Count)\nf.write($B)\nresult = f.getvalue(), f.tell()
    f = io.BytesIO($B)\nf.truncate($Count)\nresult = f.getvalue(), f.readlines()
    f = io.BytesIO($B)\nresult = f.seek($Small, $Whence), f.read($Small), f.readinto(bytearray(3))
    list(io.StringIO($Str))
    f = io.StringIO($Str, newline=$Newline)\nresult = f.getvalue(), f.readline($Small), f.read()
    io.TextIOWrapper(io.BytesIO($B), encoding=$Codec, errors=$Errors, newline=$Newline).read()
    b = io.BytesIO()\nt = io.TextIOWrapper(b, $Codec, $Errors, $Newline)\nt.write($Str)\nt.flush()\nresult = b.getvalue()
    b"%s|%b" % ($B, $B)
    b"%a" % ($Any,)
    b"%d %x %c" % ($Int, $Int, $Octet)
    b"%5s|%-5s|%.2s" % ($B, $B, $B)
    b"%c" % ($Any,)
    b"%s" % ($Any,)
    b"%i %05d %+d % d" % ($Int, $Int, $Int, $Int)
    b"%e %g %.3f" % ($Float, $Float, $Float)
    $Array % $B
    class S(bytes):\n    pass\nresult = [type(S($B).$Change()), S($B) == $B, S($B)[:], repr(S($B))]
""", SHARED, {
    "B": ["$Bytes", "$Bytes", "$Bytes", "$Array", "v($Bytes)"],
    "Modest": ["None", "$Small", "$Float", "$Str", "$Bytes", "[$Small, $Octet]", "[$Int]", "[$Str]", "range($Count)", "{1: 2}", "1j", "True"],
    "One": lambda rng: repr(bytes([rng.randrange(256)])),
    "Change": ["upper", "lower", "title", "capitalize", "swapcase"],
    "Ask": ["isalpha", "isalnum", "isdigit", "isspace", "isupper", "islower", "istitle", "isascii"],
    "Codec": ["'utf-8'", "'ascii'", "'latin-1'", "'utf-16'", "'utf-16-le'", "'utf-32'", "'cp1252'"],
    "Errors": ["'strict'", "'ignore'", "'replace'", "'surrogateescape'", "'surrogatepass'", "'backslashreplace'"],
    "Hex": ["'00ff'", "'0 0'", "' 0a\\t0B\\n'", "'0g'", "'abc'", "''", "'\\xe9'", "$Str"],
    "Sep": ["':'", "b'-'", "' '", "''", "'ab'", "'\\xff'", "$Any"],
    "Order": ["'little'", "'big'", "'middle'"],
    "View": ["'b'", "'B'", "'h'", "'H'", "'i'", "'I'", "'q'", "'Q'", "'f'", "'d'", "'c'", "'?'", "'<h'", "'x'"],
    "Code": ["'b'", "'B'", "'h'", "'H'", "'i'", "'I'", "'l'", "'q'", "'Q'", "'f'", "'d'", "'u'", "'z'"],
    "Whence": ["0", "1", "2", "3"],
    "Newline": ["None", "''", "'\\n'", "'\\r'", "'\\r\\n'", "'x'"],
})
