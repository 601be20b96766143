"""Arithmetic and methods of `int`, `float`, `complex` and `bool`, and `math`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    $N $Op $N
    $N $Op $N
    $N $Op $N
    $N $Op $N $Op $N
    $Int $Op $Int
    $Int $Bit $Int
    $Int << $Count
    $Int >> $Count
    $Int ** $Count
    $Int // $Float
    $Float // $Int
    $Float % $Float
    $Float // $Float
    $Count // $Float
    $Int % $Int
    divmod($N, $N)
    pow($Int, $Count, $Int)
    pow($Int, -1, $Int)
    pow($N, $Small)
    $Float ** $Float
    $N $Compare $N
    $N $Compare $N $Compare $N
    $N $Op $Any
    -$N
    ~$Int
    +$N
    abs($N)
    round($Float)
    round($Float, $Small)
    round($Int, $Small)
    round($Float, $Small) * $Int
    repr($Float)
    str($Float)
    repr($Int)
    hex($Int)
    oct($Int)
    bin($Int)
    int($Float)
    int($Any)
    int($Number)
    int($Number, $Base)
    float($Number)
    float($Any)
    float($Int)
    complex($Number)
    complex($Float, $Float)
    complex($Float, $Float) $Op complex($Float, $Float)
    repr(complex($Float, $Float))
    complex($N) $Op $N
    bool($N)
    $Int.bit_length()
    $Int.bit_count()
    $Int.to_bytes($Count, $Order)
    $Int.to_bytes($Count, $Order, signed=$Bool)
    $Int.as_integer_ratio()
    $Int.conjugate()
    $Float.as_integer_ratio()
    $Float.hex()
    $Float.is_integer()
    float.fromhex($Hex)
    float.fromhex($Float.hex())
    hash($Int), hash($Bool)
    x = $Float\nresult = hash(x) if x == x else None
    x, y = $Float, $N\nresult = hash(x) == hash(y) if x == x and y == y else None
    math.$One($Float)
    math.$One($N)
    math.$Two($Float, $Float)
    math.$Two($N, $N)
    math.$Whole($Int)
    math.factorial($Count)
    math.gcd($Int, $Int)
    math.lcm($Int, $Int, $Int)
    math.comb($Count, $Count)
    math.perm($Count, $Count)
    math.perm($Small)
    math.factorial($Small)
    math.isqrt($Int)
    math.isclose($Float, $Float)
    math.isclose($Float, $Float, rel_tol=0.1, abs_tol=$Float)
    math.ldexp($Float, $Small)
    math.log($Int, $Int)
    math.log($N)
    math.log2($Int)
    math.prod([$N, $N, $N])
    math.fsum([$Float, $Float, $Float])
    math.hypot($Float, $Float, $Float)
    math.dist(($Float, $Float), ($Float, $Float))
    math.nextafter($Float, $Float)
    math.ulp($Float)
    math.floor($Any)
    sum([$N, $N, $N])
    sum([$Float, $Float, $Float, $Float])
    max($N, $N)
    min([$N, $N, $N])
    sorted([$Float, $Int, $Float, $Int])
    $Bool $Op $N
    $Bool $Bit $Bool
    $N if $N else $N
    not $N
    $N in [$N, $N]
    $N is not None
    range($Small, $Small)[$Small]
    len(range($Int, $Int, $Small))
    range($Small, $Small, $Step).index($Small)
    list(range($Small, $Small, $Small))
    $Small in range($Small, $Small, $Small)
    range($Small, $Small, $Small) == range($Small, $Small, $Small)
    range($Small, $Small)[$Slice]
    slice($Bound, $Bound, $Step).indices($Count)
    decimal.Decimal($Number)
    decimal.Decimal($Float)
    str(decimal.Decimal($Float))
    decimal.Decimal($Number) $Op decimal.Decimal($Number)
    decimal.Decimal($Number).quantize(decimal.Decimal('0.01'))
    __import__('fractions').Fraction($Number)
    __import__('fractions').Fraction($Float)
    __import__('fractions').Fraction($Small, $Count) $Op $N
    x = $N\nx $Op= $N\nresult = x
    x, y = $N, $N\nresult = x $Op y, y $Op x
    result = []\nfor x in ($N, $N):\n    for y in ($N, $N):\n        result.append(x $Op y)
    class I(int):\n    pass\nresult = I($Int) $Op $N, type(I(3) + 1), repr(I($Int)), I($Int) == $Int
    class F(float):\n    pass\nresult = F($Float) $Op $N, repr(F($Float)), round(F($Float))
    colors = __import__('colorsys')\nresult = colors.rgb_to_hsv($Float, $Float, 0.5)
    __import__('statistics').mean([$Int, $Int, $Float])
    r = __import__('random').Random($Small)\nresult = r.random(), r.randrange(1, 100), r.choice('abc'), r.getrandbits(70)
    r = __import__('random').Random($Str)\nresult = r.uniform(1, 5), r.sample(range(50), 5), r.gauss(0, 1), r.shuffle([1, 2])
    __import__('random').Random($Int).choices([1, 2, 3], k=4)
""", SHARED, {
    "N": ["$Int", "$Float", "$Small", "v($Small)", "$Bool"],
    "Op": ["+", "-", "*", "/", "//", "//", "%"],
    "Bit": ["&", "|", "^"],
    "Compare": ["<", "<=", "==", "!=", ">", ">="],
    "Base": ["2", "8", "10", "16", "36", "0", "1", "37", "-1"],
    "Order": ["'little'", "'big'"],
    "Number": ["'12'", "' 12 '", "'1_000'", "'_1'", "'1__0'", "'0x1f'", "'0b101'", "'0o17'", "'-0'", "'+5'", "'1e5'", "'1.5'", "'.5'", "'5.'",
               "'inf'", "'-Infinity'", "'nan'", "'1e400'", "'1e-400'", "'0x'", "''", "' '", "'\\u0661\\u0662'", "'1 2'", "'\\xa012'", "'12\\n'",
               "'zz'", "'007'", "'1j'", "'1+2j'", "'(1-2j)'", "'j'", "'1e'", "'--1'", "'1_0.0_1'", "'123456789012345678901234567890'",
               "'0.1000000000000000055511151231257827'", "'2.4703282292062327208e-324'", "'9007199254740993'", "b'12'", "'1\\0'", "$Str"],
    "Hex": ["'0x1.8p3'", "'1.8'", "'-0x.8p-1'", "'inf'", "'0x1p-1074'", "'0x1p1024'", "'0xfffffffffffff8'", "' 0x1 '", "'0x'", "'1p'", "$Str"],
    "One": ["ceil", "floor", "trunc", "sqrt", "exp", "log10", "log2", "log1p", "expm1", "sin", "cos", "tan", "atan", "asin", "sinh", "tanh",
            "degrees", "radians", "isnan", "isinf", "isfinite", "fabs", "modf", "frexp", "gamma", "lgamma", "erf", "cbrt", "exp2"],
    "Two": ["pow", "fmod", "copysign", "atan2", "remainder", "hypot"],
    "Whole": ["isqrt", "ceil", "floor", "trunc", "sqrt"],
})
