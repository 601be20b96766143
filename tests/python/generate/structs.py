"""`struct`, `hashlib`, `hmac`, `uuid`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    struct.pack($Format, $Value)
    struct.pack($Format, $Value)
    struct.pack($Format, $Int)
    struct.pack($Format, $Float)
    struct.pack('$Order$Code$Code', $Value, $Value)
    struct.pack('$Order$Code$Times$Code', $Int, $Int)
    struct.pack($Format)
    struct.pack('$Order${Times}s', $Bytes)
    struct.pack('$Order${Times}p', $Bytes)
    struct.pack('$Order${Times}x$Code', $Int)
    struct.unpack($Format, $Bytes)
    struct.unpack('$Order$Code$Code', $Bytes)
    struct.unpack('$Order${Times}s', $Bytes)
    struct.unpack('$Order${Times}p', $Bytes)
    struct.unpack('$Order$Code', $Exact)
    struct.unpack('$Order${Code}$Code', $Exact + $Exact)
    struct.unpack_from($Format, $Bytes, $Small)
    list(struct.iter_unpack($Format, $Bytes))
    struct.calcsize($Format)
    struct.calcsize('$Order$Code$Code$Code')
    struct.calcsize($Odd)
    struct.pack($Odd, $Value)
    struct.unpack($Odd, $Bytes)
    struct.Struct($Format).size
    struct.Struct($Format).format
    a = $Array\nstruct.pack_into($Format, a, $Small, $Value)\nresult = a
    struct.unpack('$Order${Code}', struct.pack('$Order${Code}', $Int))
    struct.unpack('<d', struct.pack('<d', $Float))
    struct.pack('<f', $Float)
    struct.pack('<e', $Float)
    struct.unpack('>e', $Two)
    struct.unpack('>f', $Four)
    hashlib.$Hash($Bytes).hexdigest()
    hashlib.new($Name, $Bytes).digest()
    hashlib.new($Name).name
    h = hashlib.$Hash($Bytes)\nc = h.copy()\nh.update($Bytes)\nresult = h.hexdigest(), c.digest(), h.digest_size, h.block_size, h.name
    hashlib.shake_128($Bytes).hexdigest($Count)
    hashlib.blake2b($Bytes, digest_size=$Count).hexdigest()
    hashlib.blake2b($Bytes, key=$Bytes, salt=$Bytes, person=$Bytes).hexdigest()
    hashlib.blake2s($Bytes, key=$Bytes).digest()
    hashlib.$Hash($Any)
    hashlib.pbkdf2_hmac($Name, $Bytes, $Bytes, 3, $Count)
    hashlib.scrypt($Bytes, salt=$Bytes, n=4, r=2, p=1, dklen=8)
    sorted(hashlib.algorithms_guaranteed)
    hmac.new($Bytes, $Bytes, $Name).hexdigest()
    hmac.new($Bytes, $Bytes, hashlib.$Hash).digest()
    hmac.digest($Bytes, $Bytes, $Name)
    hmac.compare_digest($Bytes, $Bytes)
    hmac.compare_digest($Str, $Any)
    uuid.UUID($Uuid)
    str(uuid.UUID($Uuid))
    uuid.UUID(int=$Int)
    uuid.UUID(bytes=$Bytes)
    uuid.UUID(hex=$Str)
    uuid.uuid5(uuid.NAMESPACE_$Space, $Str)
    uuid.uuid3(uuid.NAMESPACE_$Space, $Str)
    u = uuid.uuid5(uuid.NAMESPACE_$Space, $Plain)\nresult = u.urn, u.hex, u.fields, u.variant, u.version, u.bytes_le, repr(u), u.node, u.time
    uuid.UUID($Uuid) < uuid.uuid5(uuid.NAMESPACE_$Space, $Plain)
    uuid.UUID($Uuid).$Part
    uuid.UUID($Any)
""", SHARED, {
    "Order": ["", "", "@", "=", "<", ">", "!"],
    "Code": ["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "f", "d", "e", "?", "c", "s", "p", "x", "n", "N", "P"],
    "Times": ["0", "1", "2", "3", "5", "10"],
    "Format": ["'$Order$Code'", "'$Order$Times$Code'", "'$Order$Code$Code'", "b'$Order$Code'"],
    "Odd": ["''", "'z'", "'<n'", "'<P'", "'3'", "' b b '", "'b<'", "'1 b'", "'@@b'", "'-1b'", "'99999999999999999999b'", "'b\\0'", "'\\xe9'", "b'\\xff'", "None", "5", "'i '"],
    "Value": ["$Int", "$Float", "$Bytes", "$Any", "$Small", "$Bool", "$One"],
    "One": lambda rng: repr(bytes([rng.randrange(256)])),
    "Two": lambda rng: repr(bytes(rng.choice([0, 1, 0x3C, 0x7C, 0xFC, 0x7E, 0x80, 0xFF, rng.randrange(256)]) for _ in range(2))),
    "Four": lambda rng: repr(bytes(rng.choice([0, 1, 0x3F, 0x7F, 0xFF, 0x80, 0xC0, rng.randrange(256)]) for _ in range(4))),
    "Exact": lambda rng: repr(bytes(rng.randrange(256) for _ in range(rng.choice([1, 2, 4, 8])))),
    "Hash": ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "sha3_224", "sha3_384", "blake2b", "blake2s"],
    "Name": ["'md5'", "'MD5'", "'sha1'", "'sha256'", "'SHA-256'", "'sha512_256'", "'sha3_256'", "'blake2b'", "'ripemd160'", "'nosuch'", "'shake_256'", "'sha224'", "''"],
    "Space": ["DNS", "URL", "OID", "X500"],
    "Uuid": ["'12345678-1234-5678-1234-567812345678'", "'{12345678123456781234567812345678}'", "'urn:uuid:12345678-1234-5678-1234-567812345678'",
             "'12345678'", "''", "'g' * 32", "'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-FFFF-1FFF-bFFF-FFFFFFFFFFFF'", "' ' * 32", "'0x' + '1' * 30",
             "'1_2' * 10 + '34'", "'\\u0661' * 32"],
    "Part": ["hex", "int", "urn", "bytes", "fields", "version", "variant", "clock_seq", "time_low", "is_safe"],
    "Plain": ["'a'", "'www.example.com'", "''", "'\\u4e2d'"],
})
