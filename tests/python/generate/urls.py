"""`urllib.parse`, `os.path`, `mimetypes`, `http`."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    urllib.parse.quote($Str)
    urllib.parse.quote($Str, safe=$Safe)
    urllib.parse.quote($Str, '', $Codec, $Errors)
    urllib.parse.quote($Bytes)
    urllib.parse.quote($Bytes, $Safe)
    urllib.parse.quote($Any)
    urllib.parse.quote_plus($Str)
    urllib.parse.quote_plus($Str, $Safe)
    urllib.parse.quote_plus($Bytes)
    urllib.parse.quote_from_bytes($Bytes, $Safe)
    urllib.parse.unquote($Quoted)
    urllib.parse.unquote($Quoted, $Codec, $Errors)
    urllib.parse.unquote_plus($Quoted)
    urllib.parse.unquote_to_bytes($Quoted)
    urllib.parse.unquote(urllib.parse.quote($Str, '', 'utf-8', 'surrogatepass'), errors='surrogatepass')
    urllib.parse.urlencode({$Str: $Str})
    urllib.parse.urlencode({$Str: $Any})
    urllib.parse.urlencode([($Str, $Bytes), ($Any, $Str)])
    urllib.parse.urlencode({'a': [$Str, $Any]}, doseq=True)
    urllib.parse.urlencode({'a': $Str, 'b': $Bytes}, $Bool, $Safe, $Codec, $Errors)
    urllib.parse.urlencode({'a b': ($Str, $Small)}, True, quote_via=urllib.parse.quote)
    urllib.parse.urlencode($Any)
    urllib.parse.parse_qs($Query)
    urllib.parse.parse_qs($Query, keep_blank_values=$Bool)
    urllib.parse.parse_qs($Query, $Bool, $Bool, $Codec, $Errors)
    urllib.parse.parse_qsl($Query, $Bool, $Bool)
    urllib.parse.parse_qsl($Query, separator=$Separator)
    urllib.parse.parse_qsl($Query, max_num_fields=$Count)
    urllib.parse.parse_qs($Query.encode('utf-8', 'ignore'))
    urllib.parse.parse_qsl($Any)
    urllib.parse.urlparse($Url)
    urllib.parse.urlsplit($Url)
    urllib.parse.urlsplit($Url)
    urllib.parse.urlsplit($Url, $Scheme, $Bool)
    urllib.parse.urlsplit($Url.encode('ascii', 'replace'))
    urllib.parse.urlparse($Url).geturl()
    urllib.parse.urlsplit($Url).geturl()
    urllib.parse.urlunsplit(urllib.parse.urlsplit($Url))
    urllib.parse.urlunparse(($Scheme, $Str, $Str, '', $Str, $Str))
    urllib.parse.urljoin($Url, $Url)
    urllib.parse.urljoin($Url, $Relative)
    urllib.parse.urljoin($Base, $Relative)
    urllib.parse.urljoin($Base, $Relative)
    urllib.parse.urldefrag($Url)
    urllib.parse.urldefrag($Url).url
    repr(urllib.parse.urlsplit($Url))
    u = urllib.parse.urlsplit($Url)\nresult = u.hostname, u.port, u.username, u.password
    u = urllib.parse.urlsplit($Url)\nresult = u.netloc, u.hostname
    u = urllib.parse.urlparse($Url)\nresult = u.params, u._replace(query=$Str).geturl()
    urllib.parse.urlsplit($Any)
    urllib.parse.unquote($Any)
    os.path.join($Path, $Path)
    os.path.join($Path, $Path, $Path)
    os.path.join($Path, $Any)
    os.path.normpath($Path)
    os.path.split($Path)
    os.path.splitext($Path)
    os.path.basename($Path)
    os.path.dirname($Path)
    os.path.isabs($Path)
    os.path.commonprefix([$Path, $Path])
    os.path.commonpath([$Path, $Path])
    os.path.relpath("/x/" + $Path, "/y/" + $Path)
    os.path.splitdrive($Path)
    os.path.exists($Path + '/no-such-file')
    os.path.expanduser('x' + $Path)
    os.fsencode($Str)
    os.fsdecode($Bytes)
    __import__('ntpath').join($Path, $Path)
    __import__('pathlib').PurePosixPath($Path).parts
    str(__import__('pathlib').PurePosixPath($Path) / $Path)
    p = __import__('pathlib').PurePosixPath($Path)\nresult = p.name, p.suffix, p.suffixes, p.stem, str(p.parent), p.is_absolute()
    str(__import__('pathlib').PurePosixPath($Path).with_suffix($Suffix))
    str(__import__('pathlib').PurePosixPath($Path).with_name($Suffix))
    str(__import__('pathlib').PurePosixPath($Path).relative_to($Path))
    __import__('pathlib').PurePosixPath($Path).match($Glob)
    __import__('posixpath').normpath($Path.encode())
    __import__('mimetypes').MimeTypes().guess_type($File)
    __import__('mimetypes').MimeTypes().guess_extension($Mime)
    http.HTTPStatus($Status).phrase
    http.HTTPStatus($Status)
    int(http.HTTPStatus($Status)), str(http.HTTPStatus($Status)), repr(http.HTTPStatus($Status)), format(http.HTTPStatus($Status))
    __import__('ipaddress').ip_address($Ip)
    str(__import__('ipaddress').ip_network($Ip, strict=False))
    __import__('urllib.request').request.pathname2url($Str)
    __import__('urllib.request').request.parse_http_list($Header)
    __import__('urllib.request').request.Request($Url).host
""", SHARED, {
    "Safe": ["''", "'/'", "'/:'", "'\\xe9'", "b'/'", "'~'", "' '", "'%'", "'&='"],
    "Codec": ["'utf-8'", "'latin-1'", "'ascii'", "'cp1252'", "None", "'utf-16'"],
    "Errors": ["'strict'", "'replace'", "'ignore'", "'surrogateescape'", "'xmlcharrefreplace'", "None"],
    "Quoted": ["'%41'", "'%4'", "'%'", "'%zz'", "'a%20b+c'", "'%E4%B8%AD'", "'%e4%b8'", "'%ff'", "'\\xe9%E9'", "'%25%32'", "'%00'", "'%C3%A9%'", "'\\u4e2d%41\\u4e2d'", "'%ED%A0%80'", "$Str", "$Bytes"],
    "Query": ["'a=1&b=2'", "'a=1;b=2'", "'a'", "'a='", "'=b'", "'a=1&a=2'", "'&&a=b&'", "'a=%E4%B8%AD'", "'a+b=c+d'", "'%61=%zz'", "'a=b=c'", "''", "'a=%ff'", "'?a=1'", "'\\u4e2d=\\xe9'", "'a=1&b'", "$Str",
              "$Str + '=' + $Str"],
    "Separator": ["'&'", "';'", "''", "'ab'", "b'&'", "None"],
    "Scheme": ["''", "'http'", "'x-y'", "'HTTP'", "'1a'"],
    "Url": ["'$Front$Host$Tail'", "'$Front$Host$Tail'", "'$Front$Host$Tail'", "$Base", "$Relative", "$Str", "'http://$Host$Tail'"],
    "Front": ["http://", "https://", "//", "", "HTTP://", "ftp://", "mailto:", "javascript:", "file:///", "data:", "x+y.z-1://", "ht\\ttp://", " http://", "http:/", "http:", ":", "://", "\\u4e2d://", "ws://", "a:", "http:///", "\\0http://"],
    "Host": ["example.com", "example.com:80", "user:pass@example.com", "user@h:1", "[::1]", "[::1]:8080", "[::1", "::1]", "[v1.x]", "[1.2.3.4]", "EXAMPLE.Com", "h:", "h:x", "h:99999", "h:-1", "h:\\u0661", "a@b@c:5", "\\u2100.com", "a\\uff0fb", "", "h\\tn",
             "h:0", "h: 80", "[::1]x", "x[::1]", "h:8_0", "h:+80", "us%65r:p%40w@h"],
    "Tail": ["", "/", "/p", "/p/q?x=1#f", "?q", "#f", "/p;a;b", ";p", "/a//b", "/%41", "/\\u4e2d", "?a?b#c#d", "/p\\n", "/ x", "\\\\x", "#", "?", "/?#", ";"],
    "Base": ["'http://a/b/c/d;p?q'", "'http://a/'", "'http://a'", "'a/b'", "''", "'http:///x'", "'file:///a/b'", "'http://a/b/../c'", "'x:y'", "'http://a?q'", "'http://a/b/c/d?q=1/../2#f'"],
    "Relative": ["'g'", "'./g'", "'g/'", "'/g'", "'//g'", "'?y'", "'g?y'", "'#s'", "'g;x'", "''", "'.'", "'./'", "'..'", "'../g'", "'../../../g'", "'/./g'", "'/../g'", "'g.'", "'..g'", "'./../g'", "'g/./h'", "'g;x=1/../y'", "'http:g'", "'g:h'", "'?'", "'#'",
                 "';x'", "'..;x'", "'g/..'", "'//'", "'///g'", "'\\u4e2d'"],
    "Path": ["'a'", "'/a'", "'a/b'", "'/a/../b'", "'//a'", "'///a'", "'a//b/./c'", "'..'", "'.'", "''", "'/'", "'a/'", "'../a'", "'/..'", "'a.txt'", "'.bashrc'", "'a.tar.gz'", "'a.'", "'...x'", "'a/.b.c'", "'\\u4e2d/\\ud800'", "'a\\0b'", "'a b'", "$Str"],
    "Suffix": ["'.x'", "''", "'x'", "'.'", "'a/b'", "'.tar.gz'", "'..'"],
    "Glob": ["'*'", "'*.txt'", "'a/*'", "'**'", "'/a'", "'?'", "'[ab]'", "''"],
    "File": ["'a.html'", "'a.txt'", "'a.tar.gz'", "'a.tgz'", "'a.js'", "'a.JSON'", "'a.nosuch'", "'a'", "'http://x/a.png?q'", "'data:text/plain,x'", "'a.svgz'", "'a.mjs'", "'.html'", "'a.xhtml'", "'a.wav'", "'a.webm'", "'a.css'", "'a.py'", "'data:,'"],
    "Mime": ["'text/html'", "'image/jpeg'", "'nosuch/x'", "'TEXT/PLAIN'", "'application/json'", "''", "'audio/mpeg'"],
    "Status": ["200", "404", "418", "500", "299", "103", "'200'", "421", "511", "308", "451"],
    "Ip": ["'127.0.0.1'", "'::1'", "'256.1.1.1'", "'1.2.3'", "'01.2.3.4'", "'::ffff:1.2.3.4'", "'fe80::1%eth0'", "'10.0.0.0/8'", "''", "'1::2::3'", "$Int", "b'\\x7f\\0\\0\\1'"],
    "Header": ["'a, b'", "'a=\"b,c\", d'", "'\"a\\\\\"b\", c'", "''", "','", "' a ,'", "$Str"],
})
