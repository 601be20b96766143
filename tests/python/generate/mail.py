"""`email`, `http.cookies` and headers."""

from grammar import Grammar
from pieces import SHARED

GRAMMAR = Grammar(__name__, r"""
    http.cookies.SimpleCookie($Cookie)
    http.cookies.SimpleCookie($Cookie)
    http.cookies.SimpleCookie($Cookie).output()
    http.cookies.SimpleCookie($Cookie).output(header=$Str, sep=$Str)
    http.cookies.SimpleCookie({$Token: $Str}).output()
    http.cookies.SimpleCookie({$Token: $Any}).output()
    http.cookies.SimpleCookie({$Str: 'x'})
    str(http.cookies.SimpleCookie($Cookie))
    repr(http.cookies.SimpleCookie($Cookie))
    http.cookies.SimpleCookie($Cookie).js_output()
    http.cookies.BaseCookie($Cookie)
    c = http.cookies.SimpleCookie()\nc[$Token] = $Str\nresult = c[list(c)[0]].value, c[list(c)[0]].coded_value, c.output()
    c = http.cookies.SimpleCookie()\nc[$Token] = 'v'\nc[list(c)[0]][$Attribute] = $Setting\nresult = c.output(), c
    c = http.cookies.SimpleCookie($Cookie)\nc.load($Cookie)\nresult = c
    c = http.cookies.SimpleCookie()\nc.load({$Token: $Str})\nresult = c.output()
    c = http.cookies.SimpleCookie()\nc['a'] = 1\nc['a']['max-age'] = $Int\nc['a']['comment'] = 0\nresult = c['a'].OutputString(['max-age'])
    m = http.cookies.Morsel()\nm.set($Token, $Str, $Str)\nresult = m.OutputString(), m, repr(m), m == m.copy()
    m = http.cookies.Morsel()\nm[$Attribute] = $Str\nresult = sorted(item for item in m.items() if item[1])
    m = http.cookies.Morsel()\nm.update({$Attribute: $Setting})\nresult = m.isReservedKey($Attribute), m[$Attribute]
    http.cookies._quote($Str)
    http.cookies._unquote($Quoted)
    email.message_from_string($Message)
    email.message_from_string($Message)
    email.message_from_string($Message).as_string()
    email.message_from_bytes($Message.encode('latin-1', 'replace'))
    email.message_from_bytes($Message.encode('utf-8', 'surrogatepass')).as_bytes()
    str(email.message_from_string($Message))
    m = email.message_from_string($Message)\nresult = m.keys(), m.values(), m['a'], m.get_all('A'), len(m), 'b' in m
    m = email.message_from_string($Message)\nresult = m.get_content_type(), m.get_content_charset(), m.get_params(), m.get_filename(), m.get_boundary()
    m = email.message_from_string($Message)\nresult = m.is_multipart(), m.get_payload(), m.get_payload(decode=True), m.preamble, m.epilogue, [type(d) for d in m.defects]
    m = email.message_from_string($Message)\nresult = [(p.get_content_type(), p.get_payload(decode=True)) for p in m.walk()]
    m = email.message.Message()\nm[$Name] = $Str\nm[$Name] = $Value\nresult = m.items(), m.as_string()
    m = email.message.Message()\nm['Content-Type'] = $Type\nresult = m.get_content_type(), m.get_content_maintype(), m.get_param('charset'), m.get_params()
    m = email.message.Message()\nm['Content-Type'] = $Type\nm.set_param($Token, $Str)\nresult = m['content-type']
    m = email.message.Message()\nm.add_header('Content-Disposition', 'attachment', filename=$Str)\nresult = m.items(), m.get_filename()
    m = email.message.Message()\nm.set_payload($Str, $Charset)\nresult = m.as_string(), m.get_payload(decode=True)
    m = email.message.Message()\nm['A'] = $Str\ndel m[$Name]\nm.replace_header('A', $Str)\nresult = m.items()
    m = email.message.EmailMessage()\nm['Subject'] = $Str\nm.set_content($Str)\nresult = m.as_string()
    m = email.message.EmailMessage()\nm['To'] = $Address\nresult = m['To'], str(m)
    m = email.message_from_string($Message, policy=__import__('email.policy').policy.default)\nresult = m.items(), m.get_content_type()
    m = __import__('http.client').client.parse_headers(io.BytesIO($Message.encode('latin-1', 'replace')))\nresult = m.items(), m.get($Name), str(m)
    __import__('email.parser').parser.HeaderParser().parsestr($Message)
    __import__('email.parser').parser.BytesHeaderParser().parsebytes($Message.encode('latin-1', 'replace')).items()
    email.header.decode_header($Encoded)
    str(email.header.make_header(email.header.decode_header($Encoded)))
    email.header.Header($Str, $Charset).encode()
    email.header.Header($Str * 9, 'utf-8', maxlinelen=$Count, header_name='X').encode()
    str(email.header.Header($Str))
    email.utils.parseaddr($Address)
    email.utils.formataddr(($Str, 'a@b.c'))
    email.utils.getaddresses([$Address, $Address])
    email.utils.quote($Str), email.utils.unquote($Quoted)
    email.utils.decode_rfc2231($Str)
    email.utils.encode_rfc2231($Str, 'utf-8', $Str)
    email.utils.collapse_rfc2231_value($Any)
    email.utils.decode_params([('a', $Quoted), ('b*0*', "utf-8''%E4"), ('b*1*', '%B8%AD')])
    __import__('email.quoprimime').quoprimime.body_encode($Str, $Count)
    __import__('email.quoprimime').quoprimime.header_encode($Bytes)
    __import__('email.base64mime').base64mime.body_encode($Bytes)
    __import__('email.base64mime').base64mime.header_encode($Str)
    __import__('email.mime.text').mime.text.MIMEText($Str).as_string()
    __import__('email.mime.multipart').mime.multipart.MIMEMultipart('mixed', 'BOUND').as_string()
    __import__('email.charset').charset.Charset($Charset).header_encode($Str)
    list(__import__('html.parser').parser.HTMLParser.__mro__)[0].__name__
    class P(__import__('html.parser').parser.HTMLParser):\n    def handle_starttag(self, tag, attrs):\n        seen.append((tag, attrs))\n    def handle_data(self, data):\n        seen.append(data)\n    def handle_endtag(self, tag):\n        seen.append('/' + tag)\n    def handle_comment(self, data):\n        seen.append('!' + data)\nseen = []\np = P()\np.feed($Html)\np.close()\nresult = seen
    x = __import__('xml.etree.ElementTree').etree.ElementTree\ne = x.Element('a', {'b': $Str})\ne.text = $Str\nresult = x.tostring(e)
    __import__('xml.sax.saxutils').sax.saxutils.escape($Str)
    __import__('xml.sax.saxutils').sax.saxutils.quoteattr($Str)
""", SHARED, {
    "Token": ["'a'", "'a-b'", "'a b'", "'$' 'x'", "'\\u4e2d'", "''", "'path'", "'Expires'", "'a='", "'a!#%'", "$Str"],
    "Cookie": ["'a=b'", "'a=b; c=d'", "'a=b;c=d'", "'a=\"b c\"; d=e'", "'a=\"\\\\303\\\\251\"'", "'a=b; path=/; secure; c=d'", "'a=b; Max-Age=5; HttpOnly'", "'$' 'Version=1; a=b; ' '$' 'Path=/x'", "'a'", "'=b'", "'a=; b=c'", "'a=b,c'", "'a b=c'", "'a=b; ; c=d'",
               "'a=\\u4e2d'", "'a=b; expires=Wed, 09 Jun 2021 10:18:14 GMT; c=d'", "'path=/x'", "'a=\"\\\\\"\"'", "'a=b=c'", "'[]=x'", "'a:b=c'", "'a=\"b'", "'a=b; samesite=Lax'", "'a=b; foo'", "''", "'a=\\x01'", "'a={\"b\":1}; c=d'", "$Str", "$Str + '=' + $Str",
               "'a=' + $Str"],
    "Attribute": ["'path'", "'Path'", "'comment'", "'max-age'", "'secure'", "'httponly'", "'samesite'", "'domain'", "'comment'", "'version'", "'nosuch'", "'partitioned'", "$Str"],
    "Setting": ["$Str", "$Int", "True", "False", "''", "None", "'Lax'", "0"],
    "Quoted": ["'\"a\"'", "'\"\\\\303\\\\251\"'", "'\"\\\\\"\"'", "'\"a'", "'a\"'", "'<a>'", "'\"\\\\\\\\\"'", "'\"\\\\012\\\\9\"'", "'\"\\\\400\"'", "'\"a\\\\\"'", "$Str"],
    "Name": ["'a'", "'A'", "'b'", "'X-Y'", "'subject'", "''", "'a b'", "'\\xe9'"],
    "Value": ["$Str", "'x\\r\\n y'", "'x\\ny'", "'\\xe9'", "'=?utf-8?q?=C3=A9?='", "'  x  '", "'a' * 100", "None", "5"],
    "Message": ["'$Line\\n$Line\\n\\n$Line'", "'$Line\\r\\n$Line\\r\\n\\r\\n$Line'", "'$Line\\n\\n'", "'$Line'", "''", "'\\n$Line'", "$Multi", "'Content-Type: $RawType\\n\\n$Line'", "'Content-Transfer-Encoding: $Transfer\\n\\n$Content'", "$Str"],
    "Line": ["a: b", "A: c", "b:d", "a:  x ", "b: x\\n\\ty", "no colon", ": empty", " starts blank", "a : b", "X-Y: \\xe9", "Subject: =?utf-8?b?5Lit?=", "a:", "From x y", "a: b\\x0bc", "a: b\\x85c: d", "a: \\x00", "a: b\\rc: d"],
    "Multi": ["'Content-Type: multipart/mixed; boundary=\"B\"\\n\\n--B\\n\\none\\n--B\\n$Line\\n\\ntwo\\n--B--\\n'", "'Content-Type: multipart/form-data; boundary=B\\r\\n\\r\\nx\\r\\n--B\\r\\nContent-Disposition: form-data; name=\"a\"\\r\\n\\r\\n1\\r\\n--B--\\r\\ny'",
              "'Content-Type: multipart/mixed\\n\\n--B\\n'", "'Content-Type: multipart/mixed; boundary=B\\n\\n--B\\n\\nx'", "'Content-Type: message/rfc822\\n\\na: b\\n\\nc'"],
    "RawType": ["text/plain", "text/html; charset=utf-8", "text/plain; charset=\"latin-1\"; x=y", "TEXT/HTML", "text", "a/b/c", "text/plain;charset", "text/plain; name*=utf-8\\'\\'%E4%B8%AD", "text/plain; a=\"b;c\"; d", "; charset=x", "", "text/plain; charset=utf-8 ; x"],
    "Type": ["'$RawType'", "$Str"],
    "Transfer": ["base64", "quoted-printable", "8bit", "x-uuencode", "nosuch", "BASE64"],
    "Content": ["YWJj", "YW Jj", "Y", "a=3Db", "a=\\n", "=E9", "\\xe9", "begin 644 x\\n#86)C\\n`\\nend"],
    "Charset": ["'utf-8'", "'us-ascii'", "'iso-8859-1'", "None", "'nosuch'"],
    "Encoded": ["'=?utf-8?b?5Lit?='", "'=?utf-8?q?=E4=B8=AD?= x'", "'a =?iso-8859-1?q?=E9?= =?utf-8?q?b?='", "'=?utf-8?x?a?='", "'=?utf-8?b?5Li?='", "'=?nosuch?q?a?='", "'plain'", "'=?utf-8?q?a_b?=c'", "''", "'=?utf-8*en?q?a?='", "'=?utf-8?q?a\\n?='", "$Str"],
    "Address": ["'a@b.c'", "'A B <a@b.c>'", "'\"A, B\" <a@b.c>, d@e.f'", "'a@b.c (comment)'", "'<a@b>'", "'a'", "'a b'", "'group: a@b, c@d;'", "'=?utf-8?q?=C3=A9?= <a@b>'", "''", "'a@b@c'", "'<'", "'\\xe9@b.c'", "'a@[1.2.3.4]'"],
    "Html": ["'<p class=a>x</p>'", "'<a href=\"x&amp;y\" b>'", "'<br/>&lt;&#65;'", "'<!-- c --><!DOCTYPE html>'", "'<script>a<b</script>'", "'<p'", "'</p x>'", "'<a b=\\'c\\' B=d>'", "'<>'", "'<textarea><b></textarea>'", "'&nosuch;&amp'", "'<![CDATA[x]]>'", "'<?pi?>'", "$Str"],
})
