"""Codecs with error modes, `base64`, `binascii`, `quopri`, `codecs`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    $Str.encode($Codec, $Errors)
    $Str.encode($Codec, $Errors)
    $Str.encode($Codec)
    $Bytes.decode($Codec, $Errors)
    $Bytes.decode($Codec, $Errors)
    $Bytes.decode($Codec)
    $Wide.decode($Codec, $Errors)
    $Wide.decode($Codec, $Errors)
    $Broken.decode('utf-8', $Errors)
    $Broken.decode('utf-8', $Errors)
    $Broken.decode($Codec, $Errors)
    $Str.encode($Codec, $Errors).decode($Codec, $Errors)
    bytes(range(128, 256)).decode($Single, $Errors)
    bytes(range($Octet)).decode($Single, 'replace')
    $Str.encode($Single, $Errors)
    ''.join(map(chr, range(0x80, 0x180))).encode($Single, $Quiet)
    str($Bytes, encoding=$Codec, errors=$Errors)
    codecs.lookup($Name).name
    codecs.encode($Str, $Text)
    codecs.decode($Bytes, $Binary)
    codecs.encode($Bytes, $Binary)
    codecs.decode($Str, $Text)
    codecs.getincrementaldecoder($Codec)($Errors).decode($Broken, $Bool)
    d = codecs.getincrementaldecoder($Codec)($Errors)\nresult = [d.decode($Broken), d.decode($Broken), d.decode(b'', True)]
    e = codecs.getincrementalencoder($Codec)($Errors)\nresult = [e.encode($Str), e.encode($Str, True)]
    codecs.escape_decode($Escape)
    codecs.escape_encode($Bytes)
    codecs.utf_8_decode($Broken, $Errors, $Bool)
    codecs.utf_16_decode($Broken, $Errors, $Bool)
    codecs.latin_1_encode($Str, $Errors)
    codecs.ascii_decode($Bytes, $Errors)
    codecs.charmap_encode($Str, $Errors, {97: 98, 233: b'xy'})
    codecs.charmap_decode($Bytes, $Errors, 'abc\ufffe')
    codecs.BOM_UTF8 + $Str.encode('utf-8-sig', $Errors)
    (codecs.BOM_UTF8 + $Bytes).decode('utf-8-sig', $Errors)
    list(codecs.iterdecode([$Broken, $Broken], 'utf-8', $Errors))
    codecs.open.__name__, codecs.getreader('utf-8')(io.BytesIO($Broken), $Errors).read()
    codecs.StreamReaderWriter(io.BytesIO($Broken), codecs.getreader($Codec), codecs.getwriter($Codec), $Errors).readlines()
    $Escape.decode('unicode_escape', $Errors)
    $Escape.decode('raw_unicode_escape', $Errors)
    $Str.encode('unicode_escape')
    $Str.encode('raw_unicode_escape', $Errors)
    $Domain.encode('idna')
    $Domain.encode('punycode')
    $Bytes.decode('punycode', $Errors)
    $Bytes.decode('idna', $Errors)
    $Seven.decode('utf-7', $Errors)
    $Str.encode('utf-7', $Errors)
    base64.b64encode($Bytes)
    base64.b64encode($Bytes, $Alt)
    base64.b64decode($Base)
    base64.b64decode($Base, $Alt)
    base64.b64decode($Base, validate=$Bool)
    base64.b64decode($Base, $Alt, $Bool)
    base64.urlsafe_b64encode($Bytes)
    base64.urlsafe_b64decode($Base)
    base64.standard_b64decode($Base)
    base64.encodebytes($Bytes * $Count)
    base64.decodebytes($Based)
    base64.b32encode($Bytes)
    base64.b32decode($Thirty, $Bool)
    base64.b32hexencode($Bytes)
    base64.b32hexdecode($Thirty)
    base64.b16encode($Bytes)
    base64.b16decode($Sixteen, $Bool)
    base64.a85encode($Bytes, foldspaces=$Bool, wrapcol=$Count, pad=$Bool, adobe=$Bool)
    base64.a85decode($Ascii, foldspaces=$Bool)
    base64.a85decode(base64.a85encode($Bytes))
    base64.b85encode($Bytes, $Bool)
    base64.b85decode($Ascii)
    base64.b85decode(base64.b85encode($Bytes))
    binascii.a2b_base64($Based)
    binascii.a2b_base64($Based, strict_mode=$Bool)
    binascii.b2a_base64($Bytes, newline=$Bool)
    binascii.hexlify($Bytes)
    binascii.hexlify($Bytes, '-', $Small)
    binascii.unhexlify($Sixteen)
    binascii.crc32($Bytes)
    binascii.crc32($Bytes, $Count)
    binascii.crc_hqx($Bytes, $Count)
    binascii.b2a_qp($Bytes, $Bool, $Bool, $Bool)
    binascii.a2b_qp($Quoted, $Bool)
    binascii.b2a_uu($Bytes)
    binascii.b2a_uu($Bytes, backtick=$Bool)
    binascii.a2b_uu($Ascii)
    binascii.a2b_uu(binascii.b2a_uu($Bytes))
    quopri.encodestring($Bytes, $Bool, $Bool)
    quopri.decodestring($Quoted, $Bool)
    zlib.crc32($Bytes)
    zlib.adler32($Bytes, $Count)
    zlib.decompress(zlib.compress($Bytes * $Count, $Level))
    zlib.decompress(zlib.compress($Bytes)[:$Small])
    zlib.decompress($Bytes)
    zlib.decompress(zlib.compress($Bytes)[2:-4], -15)
    d = zlib.decompressobj()\nx = zlib.compress($Bytes) + $Bytes\nresult = d.decompress(x, 1), d.unconsumed_tail != b'', d.flush(), d.unused_data, d.eof
    __import__('gzip').decompress(__import__('gzip').compress($Bytes, mtime=0))
    __import__('gzip').decompress($Bytes)
    try:\n    result = $Broken.decode($Codec)\nexcept UnicodeDecodeError as e:\n    result = e.encoding, e.object, e.start, e.end, e.reason
    try:\n    result = $Str.encode($Codec)\nexcept UnicodeEncodeError as e:\n    result = e.encoding, e.object, e.start, e.end, e.reason
""", SHARED, {
    "Codec": ["'utf-8'", "'UTF8'", "'utf_8'", "'ascii'", "'us-ascii'", "'latin-1'", "'iso-8859-1'", "'utf-16'", "'utf-16-le'", "'utf-16-be'", "'utf-32'",
              "'utf-32-le'", "'utf-32-be'", "'utf-8-sig'", "'utf-7'", "$Single"],
    "Single": ["'cp1252'", "'windows-1251'", "'koi8-r'", "'iso8859-15'", "'cp437'", "'mac-roman'", "'iso-8859-7'", "'cp1255'", "'cp874'", "'hp-roman8'"],
    "Errors": ["'strict'", "'ignore'", "'replace'", "'surrogateescape'", "'surrogatepass'", "'backslashreplace'", "'xmlcharrefreplace'",
               "'namereplace'", "'nosuch'"],
    "Quiet": ["'ignore'", "'replace'", "'backslashreplace'", "'xmlcharrefreplace'", "'namereplace'"],
    "Wide": lambda rng: repr("".join(rng.choice("a\u4e2d\U0001f600\xe9\0") for _ in range(rng.randrange(4))).encode(
        rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"]))[:rng.choice([99, -1, -2, -3, 5])]),
    "Broken": lambda rng: repr(b"".join(rng.choice([b"a", b"\xe4\xb8\xad", b"\xe4\xb8", b"\xe4", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80",
                                                    b"\xf0\x9f\x98", b"\xf0\x9f", b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"\xc3", b"\x80", b"\xf8\x88",
                                                    b"\xed\xb0\x80", b"\xc3\xa9", b"\n", b"\x00\xd8", b"\xdc\x00"])
                                        for _ in range(rng.randrange(1, 5)))),
    "Name": ["'UTF-8'", "'utf8'", "'U8'", "'Latin1'", "'L1'", "'iso-8859-1'", "'ISO_8859-1'", "'8859'", "'cp819'", "'ascii'", "'646'", "'us'", "'utf-16'",
             "'UTF_16LE'", "'windows-1252'", "'cp1252'", "'x-cp1251'", "'koi8r'", "'nosuch'", "'utf 8'", "'utf--8'", "'rot13'", "'hex'", "'base64'", "'idna'",
             "'punycode'", "'mbcs'", "'euc-jp'", "'shift_jis'", "'gbk'", "'big5'", "'euc-kr'", "'iso-2022-jp'", "'gb18030'", "'utf-8\\xe9'", "''"],
    "Text": ["'rot13'", "'rot_13'", "'utf-8'", "'hex'", "'nosuch'"],
    "Binary": ["'hex'", "'base64'", "'quopri'", "'uu'", "'zlib'", "'hex_codec'", "'rot13'", "'bz2'"],
    "Escape": ["b'a\\\\nb'", "b'\\\\x41\\\\u4e2d'", "b'\\\\x4'", "b'\\\\101\\\\0'", "b'\\\\N{DIGIT ONE}'", "b'\\\\N{NO}'", "b'\\\\U0001F600'", "b'\\\\U00110000'", "b'\\\\'",
               "b'\\\\q\\xe9'", "b'\\\\ud800'", "b'\\\\u12'", "b'a\\\\\\nb'", "b'\\\\400'", "$Bytes"],
    "Domain": ["'b\\xfccher.example'", "'\\u4e2d\\u6587.com'", "'ex ample'", "'a..b'", "'.a'", "'a.'", "''", "'stra\\xdfe.de'", "'xn--bcher-kva'", "'A' * 64",
               "'\\u3002a'", "'\\xad'", "'\\u2488com'", "'\\u0130.x'", "$Str"],
    "Seven": ["b'+AGEAYg-'", "b'a+-b'", "b'+2D3eAA-'", "b'+'", "b'+A'", "b'+AA'", "b'+!-'", "b'~\\\\'", "b'+2AA-'", "b'\\xff+'", "$Bytes"],
    "Alt": ["b'-_'", "'-_'", "b'*+'", "None", "b'ab'"],
    "Base": ["$Based", "$Based", "$Bytes", "$Str", "'YWJj'", "'YW\\xe9'"],
    "Based": ["b'YWJj'", "b'YWI='", "b'YQ=='", "b'YQ='", "b'YQ'", "b'Y'", "b'='", "b'===='", "b'YW=Jj'", "b'YQ==YQ=='", "b'Y W\\nJ j'", "b'-_-_'", "b'+/+/'", "b'YQ==\\n'", "b'YQ=a'",
              "b'!!!!'", "b'YWJjZ'", "b'YWJjZA'", "b'\\xffYWJj'", "b'A=BC'", "b'AB=C'", "b'=ABC'", "b'AB==C'", "b'AB=='", "b'ABC==='", "'YWJj'", "$Bytes"],
    "Thirty": ["b'ME======'", "b'MFRA===='", "b'me======'", "b'MFRGGZDF'", "b'M1======'", "b'MFRA'", "b'M======='", "'MFRA===='", "b'64======'", "b'C4H6====' ", "$Bytes"],
    "Sixteen": ["b'00ff'", "b'00FF'", "b'0g'", "b'0'", "'00ff'", "'0G'", "''", "'\\xe9\\xe9'", "$Bytes"],
    "Ascii": ["b'87cUR'", "b'<~87cURDZ~>'", "b'zzz'", "b'!!!!!'", "b'~~~~~'", "b'VPRn'", "b'#86)C'", "b'!'", "b'%8 '", "b'M'", "$Bytes", "$Str"],
    "Quoted": ["b'a=3Db'", "b'a=\\nb'", "b'=E4=B8=AD'", "b'a=zz'", "b'='", "b'=4'", "b'a_b'", "b'a \\n'", "b'a =\\r\\nb'", "b'=\\r'", "b'==3D'", "$Bytes", "'=41'"],
    "Level": ["0", "1", "6", "9", "-1", "10"],
})
