"""WebSocket sessions: what a client sends, step by step. `websocket_record.py` adds what pywebsocket3 4.0.2 answers.

The handlers are those of fixtures/websocket/handlers. A step is bytes to send, or `EOF`: the client says that no more come.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

EOF = object()
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x01\x02\x03\x04"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
DEFLATE = "permessage-deflate"


@dataclass
class Session:
    name: str
    shows: str
    steps: list
    # Why ours differs on purpose.
    difference: str = ""


SESSIONS: list[Session] = []


def session(name: str, shows: str, *steps: object, difference: str = "") -> None:
    SESSIONS.append(Session(name, shows, list(steps), difference))


def request(target: str = "/echo", method: str = "GET", version: str = " HTTP/1.1", drop: tuple = (), **headers: object) -> bytes:
    """An opening handshake; `drop` leaves headers out, keywords replace or add them (`_` for `-`)."""
    fields: dict[str, object] = {
        "Host": "example.test", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = ["%s: %s" % (name, value) for name, value in fields.items() if name not in drop]
    return "\r\n".join(["%s %s%s" % (method, target, version)] + lines + ["", ""]).encode("latin-1")


def frame(opcode: int, payload: bytes | str = b"", fin: int = 1, rsv: int = 0, mask: bytes | None = MASK,
          length: bytes | None = None) -> bytes:
    """A frame; `length` replaces the bytes that say how long it is, without the mask bit."""
    payload = payload.encode() if isinstance(payload, str) else payload
    size = len(payload)
    if length is None:
        length = bytes([size]) if size < 126 else b"\x7e" + struct.pack("!H", size) if size < 1 << 16 else (
            b"\x7f" + struct.pack("!Q", size))
    bit = 0x80 if mask else 0
    head = bytes([fin << 7 | rsv << 4 | opcode, length[0] | bit]) + length[1:]
    if not mask:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def handshakes() -> None:
    def refused(name: str, shows: str, message: bytes) -> None:
        session("handshake/" + name, shows, message)

    session("handshake/plain", "The answer's headers and their order.", request(), close())
    session("handshake/odd_case", "Names and tokens have no case.",
            request(drop=("Host", "Upgrade", "Connection"), host="h", UPGRADE="WebSocket", connection="keep-alive, uPgRaDe"),
            close())
    session("handshake/query", "The query is not a part of the resource.", request("/echo?a=1&b"), close())
    session("handshake/folder", "A handler in a folder.", request("/sub/plain?x"), close())
    session("handshake/absolute", "An absolute URL is cut to its path.", request("ws://other.test:81/sub/plain?y"), close())
    session("handshake/absolute_empty", "What an absolute URL has instead of a path.",
            request("wss://other.test/sub/plain"), close())
    session("handshake/slashes", "Slashes at the front become one.", request("///sub/plain"), close())
    session("handshake/frame_with_it", "A frame may come with the handshake.", request() + frame(TEXT, "early") + close())
    session("handshake/piecewise", "The head may come in pieces.", request()[:30], request()[30:], close())
    session("handshake/origin", "The handler sees the origin.", request("/api?say", Origin="http://o.test", X_Test="a"), close())
    refused("fragment", "A fragment is refused.", request("/echo#f"))
    refused("fragment_behind_query", "A fragment behind a query as well.", request("/echo?q#f"))
    session("handshake/empty_fragment", "An empty fragment counts as no fragment.", request("/echo#"), close())
    refused("post", "Only GET.", request(method="POST"))
    refused("head", "HEAD has no body.", request(method="HEAD"))
    refused("http10", "Only HTTP/1.1.", request(version=" HTTP/1.0"))
    refused("http09", "Before HTTP/1.0 there are no heads.", request(version=""))
    refused("no_upgrade", "No Upgrade.", request(drop=("Upgrade",)))
    refused("other_upgrade", "Another Upgrade.", request(Upgrade="h2c"))
    refused("upgrade_list", "Upgrade is not read as a list.", request(Upgrade="websocket, h2c"))
    refused("no_connection", "No Connection.", request(drop=("Connection",)))
    refused("other_connection", "Another Connection.", request(Connection="keep-alive"))
    refused("bad_connection", "Connection is not read as a list.", request(Connection="Upgrade keep-alive"))
    refused("empty_connection", "An empty Connection.", request(Connection=""))
    refused("no_host", "No Host.", request(drop=("Host",)))
    refused("no_version", "No version.", request(drop=("Sec-WebSocket-Version",)))
    refused("other_version", "Another version is told which one is spoken.", request(Sec_WebSocket_Version="8"))
    refused("two_versions", "More than one version.", request(Sec_WebSocket_Version="8, 13"))
    refused("odd_version", "The version is a text.", request(Sec_WebSocket_Version="013"))
    refused("no_key", "No key.", request(drop=("Sec-WebSocket-Key",)))
    refused("short_key", "A short key.", request(Sec_WebSocket_Key="dGhlIHNhbXBsZQ=="))
    refused("two_keys", "Two keys.", request(Sec_WebSocket_Key=KEY + ", " + KEY))
    refused("loose_key", "A key with bits behind its end.", request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZR=="))
    refused("version_before_key", "The version is looked at before the key.",
            request(Sec_WebSocket_Version="8", drop=("Sec-WebSocket-Key",)))
    refused("method_before_version", "The method is looked at before the version.",
            request(Sec_WebSocket_Version="8", method="POST"))


def protocols() -> None:
    def protocol(name: str, shows: str, target: str, value: str | None, *steps: object) -> None:
        fields = {} if value is None else {"Sec_WebSocket_Protocol": value}
        session("protocol/" + name, shows, request(target, **fields), *steps)

    protocol("chosen", "The handler chooses.", "/echo", "other, echo", close())
    protocol("not_chosen", "The handler has to choose.", "/echo", "other")
    protocol("not_offered", "The handler may choose what was not offered.", "/handshake?protocol_not_offered", "a", close())
    protocol("no_token", "What is chosen is a token.", "/handshake?protocol_no_token", "a")
    protocol("chosen_empty", "And not empty.", "/handshake?protocol_empty", "a")
    protocol("chosen_unasked", "None may be chosen when none was offered.", "/handshake?protocol_not_offered", None)
    protocol("forgotten", "The handler may forget that any was offered.", "/handshake?no_protocols", "a", close())
    protocol("empty", "An empty list.", "/echo", "")
    protocol("commas", "Empty items do not count.", "/echo", ", ,echo,,", close())
    protocol("only_commas", "But one there must be.", "/echo", ",,")
    protocol("blanks", "Items have commas between them.", "/echo", "a b")
    protocol("separators", "Items are tokens.", "/echo", "a/b")


def extensions() -> None:
    def extension(name: str, shows: str, value: str, target: str = "/handshake?nothing", ends: bool = False) -> None:
        session("extension/" + name, shows, request(target, Sec_WebSocket_Extensions=value), *([] if ends else [close()]))

    extension("plain", "permessage-deflate.", DEFLATE)
    extension("browser", "What browsers offer.", DEFLATE + "; client_max_window_bits")
    extension("window", "A window for the server.", DEFLATE + "; server_max_window_bits=10")
    extension("window_quoted", "Values may be quoted.", DEFLATE + '; server_max_window_bits="9"')
    extension("window_escaped", "And escaped.", DEFLATE + '; server_max_window_bits="1\\5"')
    for bits in ("8", "15"):
        extension("window_" + bits, "The limits of a window.", DEFLATE + "; server_max_window_bits=" + bits)
    for name, bits in (("7", "=7"), ("16", "=16"), ("08", "=08"), ("text", "=x"), ("none", "")):
        extension("no_window_" + name, "A value that is not a window is declined.", DEFLATE + "; server_max_window_bits" + bits)
    extension("no_context", "A server that forgets.", DEFLATE + "; server_no_context_takeover")
    extension("no_context_value", "Without a value only.", DEFLATE + "; server_no_context_takeover=1")
    extension("client_window_value", "A client cannot name its window.", DEFLATE + "; client_max_window_bits=10")
    extension("client_no_context", "An offer that is not taken.", DEFLATE + "; client_no_context_takeover")
    extension("all", "Parameters in the server's order.",
              DEFLATE + " ;server_no_context_takeover; client_max_window_bits ;server_max_window_bits = 12")
    extension("twice", "The first offer that is accepted counts.",
              DEFLATE + "; server_max_window_bits=7, " + DEFLATE + "; server_max_window_bits=11, " + DEFLATE)
    extension("unknown_parameter", "Unknown parameters are declined.", DEFLATE + "; fast")
    extension("unknown", "Unknown extensions are ignored.", "x-webkit-deflate-frame, foo; bar=\"a b\"")
    extension("empty", "An empty header counts as no header.", "")
    extension("client_window", "The handler names the client's window.", DEFLATE + "; client_max_window_bits",
              "/handshake?client_window")
    extension("client_window_declined", "If the client lets it.", DEFLATE, "/handshake?client_window")
    extension("tell_no_context", "The handler makes the client forget.", DEFLATE, "/handshake?client_no_context")
    extension("switched_off", "The handler wants none.", DEFLATE, "/handshake?no_extensions")
    extension("none", "Nothing in the list is nothing.", DEFLATE, "/handshake?no_processor")
    extension("inactive", "A processor that is put to sleep.", DEFLATE, "/handshake?inactive")
    for name, value in (("no_name", "; a"), ("no_parameter", DEFLATE + ";"), ("no_value", DEFLATE + "; a="),
                        ("no_comma", "a b"), ("open_quote", 'a; b="c'), ("commas", ",,")):
        extension("bad_" + name, "What cannot be read is refused.", value, ends=True)


def extra_handshakes() -> None:
    def extra(name: str, shows: str, *steps: object) -> None:
        session("extra/" + name, shows, request("/handshake?" + name), *steps)

    extra("headers", "More headers, with line ends in them.", close())
    extra("value_error", "An exception is a 403.")
    extra("not_found", "Whatever status it has.")
    extra("other_version", "Whatever it says.")
    extra("abort", "Nothing at all.")
    extra("abort_with_answer", "An answer of the handler's own.")
    extra("garbage_before", "Bytes before the answer.", close())
    extra("own", "A handshake of the handler's own.", close(1001, b"PASS"))
    session("extra/own_part", "What is read is what has come so far.", request("/handshake?own"), close(1001, b"PASS")[:5])
    session("extra/own_short", "A client that does not answer it.", request("/handshake?own"), EOF)


def messages() -> None:
    def echo(name: str, shows: str, *steps: object, difference: str = "") -> None:
        session("frame/" + name, shows, request(), *steps, difference=difference)

    strict = "RFC 6455 and the Autobahn test suite want 1002"
    between = "RFC 6455 allows control frames between fragments, pywebsocket3 refuses them"
    echo("text", "Text.", frame(TEXT, "h\u00e9llo \U0001f600"), close())
    echo("binary", "Bytes.", frame(BINARY, b"\x00\xff\xfe"), close())
    echo("empty", "Empty messages.", frame(TEXT), frame(BINARY), close())
    echo("goodbye", "The handler returns: the server closes.", frame(TEXT, "Goodbye"), close())
    echo("goodbye_then_data", "Anything but a Close as the answer ends it.", frame(TEXT, "Goodbye"), frame(TEXT, "x"))
    echo("lengths", "Lengths around the limits.", frame(BINARY, b"a" * 125), frame(BINARY, b"b" * 126), close())
    echo("long_form", "Lengths in more bytes than needed.", frame(TEXT, "abc", length=b"\x7e\x00\x03"),
         frame(TEXT, "abc", length=b"\x7f" + b"\x00" * 7 + b"\x03"), close())
    echo("too_long", "A length of 63 bits.", frame(TEXT, "", length=b"\x7f\x80" + b"\x00" * 7))
    echo("pieces", "A frame in pieces.", frame(TEXT, "pieces")[:1], frame(TEXT, "pieces")[1:5], frame(TEXT, "pieces")[5:],
         close())
    echo("many", "Many frames at once.", b"".join(frame(TEXT, str(number)) for number in range(20)) + close())
    echo("fragments", "Fragments.", frame(TEXT, "a", fin=0), frame(0, "b", fin=0), frame(0, "c"), close())
    echo("fragments_utf8", "A character in two fragments.", frame(TEXT, b"\xc3", fin=0), frame(0, b"\xa9"), close())
    echo("fragments_empty", "Empty fragments.", frame(TEXT, "", fin=0), frame(0, "", fin=0), frame(0), close())
    echo("ping", "A Ping.", frame(PING, "hello"), frame(PING), frame(PING, b"p" * 125), close())
    echo("pong", "A Pong without a Ping.", frame(PONG, "hello"), frame(TEXT, "after"), close())
    echo("ping_too_long", "A Ping of 126 bytes.", frame(PING, b"p" * 126))
    echo("ping_between", "A Ping between fragments.", frame(TEXT, "a", fin=0) + frame(PING, "p") + frame(0, "b"), close(),
         difference=between)
    echo("close_between", "A Close between fragments.", frame(TEXT, "a", fin=0) + close(), difference=between)
    echo("ping_fragment", "A Ping in fragments.", frame(PING, "p", fin=0))
    echo("unmasked", "A frame without a mask.", frame(TEXT, "abc", mask=None))
    echo("zero_mask", "A mask of zeros.", frame(TEXT, "abc", mask=b"\x00" * 4), close())
    echo("no_start", "A continuation of nothing.", frame(0, "abc"))
    echo("no_start_open", "The same, unfinished.", frame(0, "abc", fin=0))
    echo("no_end", "A new message within a message.", frame(TEXT, "a", fin=0) + frame(TEXT, "b"))
    echo("no_end_fragments", "The same, in fragments.", frame(TEXT, "a", fin=0) + frame(BINARY, "b", fin=0))
    for bit in (1, 2, 4):
        echo("reserved_%d" % bit, "A reserved bit.", frame(TEXT, "a", rsv=bit), close(1003), difference=strict)
    echo("reserved_ping", "A reserved bit in a Ping.", frame(PING, "a", rsv=4), close(1003), difference=strict)
    for opcode in (3, 7, 11, 15):
        echo("opcode_%d" % opcode, "An unknown opcode.", frame(opcode, "a"), close(1003), difference=strict)
    echo("opcode_fragment", "An unknown opcode in fragments.", frame(5, "a", fin=0), frame(0, "b"), close(1003),
         difference=strict)
    echo("not_utf8", "Text that is not UTF-8.", frame(TEXT, b"a\xff"), close(1007))
    echo("not_utf8_surrogate", "A surrogate.", frame(TEXT, b"\xed\xa0\x80"), close(1007))
    echo("not_utf8_cut", "Half a character.", frame(TEXT, b"\xc3"), frame(PING, "p"), close(1007))
    echo("not_utf8_data", "Anything but a Close as the answer ends it.", frame(TEXT, b"\xff"), frame(TEXT, "b"))
    echo("close", "A Close with code and reason.", close(1001, b"bye"))
    echo("close_empty", "A Close without a code.", close(None))
    echo("close_no_reason", "A Close without a reason.", close(4999))
    echo("close_long", "The longest reason.", close(3000, b"r" * 123))
    echo("close_then_data", "Nothing is read behind a Close.", close() + frame(TEXT, "after"))
    echo("close_one_byte", "One byte is not a code.", frame(CLOSE, b"\x03"))
    echo("close_too_long", "A reason that is too long.", close(1000, b"r" * 124))
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535):
        echo("close_%d" % code, "A code that must not be sent.", close(code), close(1002), difference=strict)
    echo("close_not_utf8", "A reason that is not UTF-8.", close(1000, b"\xff"),
         difference="RFC 6455 and the Autobahn test suite want 1007")
    echo("half_close", "The client says that no more comes.", frame(TEXT, "last"), EOF)
    echo("cut_header", "It says so within a header.", frame(TEXT, "cut")[:3], EOF)
    echo("cut_payload", "It says so within a frame.", frame(TEXT, "cut")[:-1], EOF)
    session("frame/default_close", "A handler without a say in it.", request("/sub/plain"), close(4000, b"mine"))


def api() -> None:
    def call(name: str, shows: str, *steps: object, of: str = "", difference: str = "") -> None:
        session("api/" + name, shows, request("/api?" + (of or name)), *steps, difference=difference)

    call("receive_text", "What the handler receives.", frame(TEXT, "a"), close(), of="receive")
    call("receive_binary", "Bytes are bytes.", frame(BINARY, "a"), close(), of="receive")
    call("receive_ping", "A Ping is answered on the way.", frame(PING, "a"), frame(TEXT, "b"), close(), of="receive")
    call("receive_close", "None when the client closes, and no sending after that.", close(4004, b"r"), of="receive")
    call("receive_again", "No receiving after it either.", frame(TEXT, "a"), close(4000))
    call("passive_none", "The handler answers a Close with nothing.", close(None), of="receive_until_closed")
    call("passive_reason", "A reason without a code is dropped.", close(4001), of="receive_until_closed")
    call("passive_pseudo", "A code that must not be sent.", close(4002), of="receive_until_closed")
    call("passive_no_reason", "No reason.", close(4003), of="receive_until_closed")
    call("passive_long", "A reason that is too long.", close(4004), of="receive_until_closed")
    call("passive_no_pair", "Nonsense.", close(4005), of="receive_until_closed")
    session("api/say", "What a handler knows.", request("/api?say", drop=("Host",), host="h", X_Test="a  "), close())
    call("constants", "The constants.", close())
    call("frames", "The frame builders.", close())
    call("fragments", "Messages in fragments.", close())
    call("mixed_fragments", "Text and bytes in one message.", close(1011))
    call("text_as_binary", "Text is not bytes.", close(1011))
    call("bytes_as_text", "Bytes are not text.")
    call("sizes", "Lengths around the limits.", close())
    call("pings", "Pings, and their Pongs.", frame(PONG, "text") + frame(PONG, "other"), frame(PING, "mine"), close())
    call("own_pongs", "Pings for the handler.", frame(PING, "mine"), frame(PONG, "ignored"), close())
    call("ping_too_long", "A Ping that is too long.", close(1011))
    call("close", "A Close by the server, and nothing after it.", close())
    call("close_answer_late", "It waits for the client's.", frame(PING, "p") + frame(PONG, "q"), close(), of="close")
    call("close_code", "With code and reason.", close(4000))
    call("close_code_answered_empty", "Any answer will do.", close(None), of="close_code")
    call("close_without_code", "Without a code.", close(None))
    call("close_reason_without_code", "A reason needs a code.", close(1011))
    call("close_pseudo_code", "A code that must not be sent.", close(1011))
    call("close_reason_number", "A reason that is not a text.", close(1011))
    call("close_reason_bytes", "A reason that is bytes.")
    call("close_at_once", "Without waiting.")
    call("close_going_away", "Who goes away does not wait.")
    call("close_by_hand", "A Close the handler has made.", close())
    call("nothing", "A handler that does nothing.", close())
    call("nothing_eof", "And a client that does not answer.", EOF, of="nothing")
    call("fail", "An exception: no Close.")
    call("fail_terminated", "What the stream raises when it is over.")
    call("fail_invalid_frame", "What a bad frame raises.")
    call("fail_utf8", "What bad text raises.", close(1007))
    call("fail_bad_operation", "What a mistake raises.", close(1011))
    call("abort", "No Close either.")
    call("exit_process", "Nothing else ends.")
    call("go_on", "A handler may go on after a bad frame.", frame(TEXT, b"\xff"), frame(TEXT, "a", rsv=2), frame(3, "b"),
         frame(0, "c"), frame(BINARY, "d"), close())
    call("raw", "Bytes below the frames.", b"a", b"bcde" + frame(TEXT, "f", fin=0, rsv=3))
    call("old_name", "mod_pywebsocket is the same package.", difference="older checkouts have handlers that import it")
    call("receiver", "The two threads.", frame(TEXT, "a"), frame(TEXT, "b"), close())
    session("api/unknown", "A function that is not there.", request("/api?unknown"))
    session("api/message_channel", "The handler's module has the standard library.", request("/counter"), close())


def deflate() -> None:
    def compressed(name: str, shows: str, *steps: object, of: str = "echo", parameters: str = "") -> None:
        opening = request("/deflate?" + of, Sec_WebSocket_Extensions=DEFLATE + parameters)
        session("deflate/" + name, shows, opening, *steps)

    # "Hello" as RFC 7692 has it.
    hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00"
    again = b"\xf2\x00\x11\x00\x00"
    compressed("echo", "A compressed message.", frame(TEXT, hello, rsv=4), close())
    compressed("context", "The second one refers to the first.", frame(TEXT, hello, rsv=4), frame(TEXT, again, rsv=4), close())
    compressed("no_context", "Unless that was asked for.", frame(TEXT, hello, rsv=4), frame(TEXT, again, rsv=4), close(),
               parameters="; server_no_context_takeover")
    compressed("window", "A small window.", frame(TEXT, hello, rsv=4), close(), parameters="; server_max_window_bits=8")
    compressed("fragments_in", "Compressed fragments.", frame(TEXT, hello[:3], fin=0, rsv=4), frame(0, hello[3:]), close())
    compressed("late_bit", "The bit on a later fragment.", frame(TEXT, hello[:3], fin=0), frame(0, hello[3:], rsv=4), close())
    compressed("plain_in", "A message that is not compressed.", frame(TEXT, "Hello"), frame(TEXT, hello, rsv=4), close())
    compressed("stored", "A block that is stored.", frame(TEXT, b"\x00\x05\x00\xfa\xffHello\x00", rsv=4), close())
    compressed("final_block", "A last block.", frame(TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", rsv=4), frame(TEXT, hello, rsv=4),
               close())
    compressed("two_blocks", "Two blocks.", frame(TEXT, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", rsv=4), close())
    compressed("empty", "Empty messages.", frame(TEXT, b"\x00", rsv=4), frame(BINARY, b"\x00", rsv=4), frame(TEXT), close())
    compressed("binary", "Bytes.", frame(BINARY, hello, rsv=4), close())
    compressed("broken", "What is not compressed data.", frame(TEXT, b"\xff\xff\xff", rsv=4))
    compressed("not_utf8", "Compressed text that is not UTF-8.", frame(TEXT, b"\xfa\x0f\x00", rsv=4), close())
    compressed("ping", "Control frames are not compressed.", frame(PING, "p"), close())
    compressed("bfinal", "Last blocks from the server.", close(), of="bfinal")
    compressed("switched_off", "Compression may pause.", close(), of="switched_off")
    compressed("fragments", "Compressed fragments from the server.", close(), of="fragments")


for group in (handshakes, protocols, extensions, extra_handshakes, messages, api, deflate):
    group()
