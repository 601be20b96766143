"""Records what wptserve 4.0.3 answers over HTTP/2 to the requests of fixtures/h2, frame by frame, or compares a server.

    python http2.py record [NAME...]          writes fixtures/h2/cases.json anew, from the reference
    python http2.py compare HOST:PORT [NAME...]  asks a server that serves fixtures/h2/site

The reference is `wptserve` with `h2` 4.1.0, which a WPT checkout brings along (`pip install wptserve==4.0.3 h2==4.1.0
pywebsocket3==4.0.2`, and `openssl` for a certificate). The client knows frames and HPACK and nothing else, so it shows what
no HTTP library would let through. tests/cases/h2.rs runs the same cases with a client of its own.

A case of cases.json: `name`; `request`: pairs of header fields, or a path for a plain GET; `body`: pieces, one DATA frame
each; `trailers`; `settings`; `priority` of the HEADERS frame: stream, weight byte, exclusive; `update`: a WINDOW_UPDATE behind
it; `then`: a path whose answer is recorded instead, once the request has left something for it; `difference`: why ours differs on purpose, with the frames of ours in `ours`; `frames`: what came on the
request's stream and on promised ones: [kind, stream, flags, content].
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hpack
from hyperframe import frame as frames

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "h2"
CASES = FIXTURES / "cases.json"
LIMIT = 20.0
HOST = re.compile(r"127\.0\.0\.1:\d+")


class Connection:
    def __init__(self, address: tuple[str, int], settings: dict[int, int] | None = None) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(socket.create_connection(address, LIMIT), server_hostname="localhost")
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.input = b""
        self.stream = -1
        # Large windows, so that they have no effect where a case does not test them.
        settings = {4: 1 << 24, **(settings or {})}
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frames.SettingsFrame(0, settings).serialize())
        self.send(frames.WindowUpdateFrame(0, 1 << 24))

    def send(self, frame: frames.Frame, flags: str = "") -> None:
        for flag in flags.split():
            frame.flags.add(flag)
        self.socket.sendall(frame.serialize())

    def request(self, fields: list, body: list[str], trailers: list | None, priority: list | None = None,
                update: int = 0) -> int:
        self.stream += 2
        block = self.encoder.encode([(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields])
        ends = not body and trailers is None
        head = frames.HeadersFrame(self.stream, block)
        if priority:
            head.flags.add("PRIORITY")
            head.depends_on, head.stream_weight, head.exclusive = priority
        self.send(head, "END_HEADERS" + (" END_STREAM" if ends else ""))
        if update:
            self.send(frames.WindowUpdateFrame(self.stream, update))
        for number, piece in enumerate(body, 1):
            ends = number == len(body) and trailers is None
            self.send(frames.DataFrame(self.stream, piece.encode("latin-1")), "END_STREAM" if ends else "")
        if trailers is not None:
            self.send(frames.HeadersFrame(self.stream, self.encoder.encode(trailers)), "END_HEADERS END_STREAM")
        return self.stream

    def close(self) -> None:
        """With a GOAWAY: wptserve does not notice that a connection has ended, and reads from it for ever."""
        try:
            self.send(frames.GoAwayFrame(0))
        except OSError:
            pass
        self.socket.close()

    def next(self, limit: float) -> frames.Frame | None:
        deadline = time.monotonic() + limit
        while True:
            if len(self.input) >= 9:
                frame, length = frames.Frame.parse_frame_header(memoryview(self.input[:9]))
                if len(self.input) >= 9 + length:
                    frame.parse_body(memoryview(self.input[9:9 + length]))
                    self.input = self.input[9 + length:]
                    return frame
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(65536)
            except (TimeoutError, socket.timeout):
                return None
            except OSError:
                more = b""
            if not more:
                return frames.GoAwayFrame(0)
            self.input += more

    def answer(self, stream: int) -> list:
        """What comes until the stream and all that were promised on it have ended, or for too long nothing."""
        seen, block, open_streams = [], b"", {stream}
        while open_streams:
            frame = self.next(3.0 if seen else LIMIT)
            if frame is None:
                seen.append(["nothing more", 0, "", ""])
                break
            if isinstance(frame, frames.GoAwayFrame):
                seen.append(["closed", 0, "", ""])
                break
            if isinstance(frame, frames.SettingsFrame) and "ACK" not in frame.flags:
                self.send(frames.SettingsFrame(0), "ACK")
            if frame.stream_id == 0 or isinstance(frame, frames.WindowUpdateFrame):
                continue
            content: object = ""
            if isinstance(frame, frames.DataFrame):
                content = shown(bytes(frame.data))
            elif isinstance(frame, frames.RstStreamFrame):
                content = frame.error_code
                open_streams.discard(frame.stream_id)
            elif isinstance(frame, (frames.HeadersFrame, frames.ContinuationFrame, frames.PushPromiseFrame)):
                block += bytes(frame.data)
                if "END_HEADERS" in frame.flags:
                    content = [[name.decode("latin-1"), value.decode("latin-1")]
                               for name, value in self.decoder.decode(block, raw=True)]
                    block = b""
                if isinstance(frame, frames.PushPromiseFrame):
                    content = [frame.promised_stream_id, content]
                    open_streams.add(frame.promised_stream_id)
            if "END_STREAM" in frame.flags:
                open_streams.discard(frame.stream_id)
            kind = type(frame).__name__.removesuffix("Frame").upper()
            seen.append([kind, frame.stream_id, " ".join(sorted(frame.flags)), content])
        return seen


def shown(data: bytes) -> str:
    text = data.decode("latin-1")
    return text if len(text) <= 2000 else "%s... %d bytes" % (text[:20], len(text))


def masked(seen: list) -> list:
    """Without what is different from run to run, and from interpreter to interpreter."""
    result = []
    is_error = any(frame[0] == "DATA" and '"code": 500' in str(frame[3]) for frame in seen)
    for kind, stream, flags, content in seen:
        if kind == "HEADERS" and content:
            content = [[name, "<length>" if is_error and name == "content-length" else HOST.sub("<host>", value)]
                       for name, value in content]
        if kind == "DATA" and is_error:
            message = json.loads(content)["error"]["message"] if content else ""
            last = message.strip().split("\n")[-1].strip()
            content = "500 %s" % re.sub(r" \([^()]*, line \d+\)$", "", last)
        if isinstance(content, str):
            content = re.sub(r"/[^ ']*/h2/site/", "<site>/", HOST.sub("<host>", content))
        result.append([kind, stream, flags, content])
    return result


def fields_of(case: dict) -> list:
    if isinstance(case["request"], str):
        return [[":method", "GET"], [":scheme", "https"], [":authority", "localhost"], [":path", case["request"]]]
    return case["request"]


def ask(address: tuple[str, int], case: dict) -> list:
    connection = Connection(address, {int(name): value for name, value in case.get("settings", {}).items()})
    stream = connection.request(fields_of(case), case.get("body", []), case.get("trailers"), case.get("priority"),
                                case.get("update", 0))
    seen = connection.answer(stream)
    while "then" in case:
        # On a connection of its own: the first one may have been spoiled. What the handler leaves may come late.
        other = Connection(address)
        seen = other.answer(other.request(fields_of({"request": case["then"]}), [], None))
        other.close()
        if seen[-1][3] != "None":
            break
    connection.close()
    return masked(seen)


def reference() -> tuple[str, int]:
    """Starts wptserve in this process, as `wpt serve` starts its server for HTTP/2."""
    site = str(FIXTURES / "site")
    sys.path[0] = site
    sys.dont_write_bytecode = True
    os.chdir(site)
    logging.disable(logging.CRITICAL)
    from wptserve import server, stash
    from wptserve.config import ConfigBuilder

    folder = tempfile.mkdtemp()
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
    # For as long as the process lives.
    reference.stash = stash.StashServer()
    reference.stash.__enter__()
    httpd = server.WebTestHttpd(host="127.0.0.1", port=0, doc_root=site, config={}, use_ssl=True, http2=True,
                                handler_cls=server.Http2WebTestRequestHandler, key_file=key, certificate=certificate)
    server.Server.config = ConfigBuilder(logging.getLogger(), browser_host="127.0.0.1", doc_root=site,
                                         ports={"h2": [httpd.port]}).__enter__()
    httpd.start()
    return "127.0.0.1", httpd.port


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in ("record", "compare"):
        print(__doc__, file=sys.stderr)
        return 2
    is_record = sys.argv[1] == "record"
    wanted = sys.argv[2 if is_record else 3:]
    cases = json.loads(CASES.read_text())
    if is_record:
        address = reference()
        # Threads of wptserve die with tracebacks in some cases; those belong nowhere.
        progress = os.dup(2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    else:
        host, port = sys.argv[2].rsplit(":", 1)
        address = host, int(port)
    failed = 0
    for case in cases:
        if wanted and case["name"] not in wanted:
            continue
        seen = ask(address, case)
        if is_record:
            case["frames"] = seen
            os.write(progress, ("%s\n" % case["name"]).encode())
            continue
        expected = case.get("ours", case["frames"])
        if seen != expected:
            failed += 1
            print("%s\n  expected %s\n  seen     %s" % (case["name"], json.dumps(expected), json.dumps(seen)))
    if is_record:
        lines = ",\n".join(json.dumps(case) for case in cases)
        CASES.write_text("[\n%s\n]\n" % lines)
        os._exit(0)
    print("%d cases, %d different" % (len(cases) if not wanted else len(wanted), failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
