"""What all attacks share: a server with a limit of memory, clients of raw bytes, and a client that only wants to be served.

An attack is a module of this folder with

    NAME     what the clients do
    BOUND    what ends it: keys of the configuration, or nothing
    run(server)   does it, and returns in a few words what the clients got

`run` must end by itself, within a minute and a gigabyte. It talks to 127.0.0.1 only.
"""

import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

# The address space of the server, in bytes: memory that it asks for beyond this is refused. The stacks of a thousand threads,
# of which hardly anything is used, take most of it.
ADDRESS_SPACE = 40 << 30
# The resident memory, in MiB, at which a server is killed to spare the machine.
TOO_MUCH = 4096
TIMEOUT = 20

FILES = {
    "quick.py": "def main(request, response):\n    return b'quick'\n",
    "length.py": "def main(request, response):\n    return str(len(request.body))\n",
    "large.py": "def main(request, response):\n    return b'x' * int(request.GET.first(b'size'))\n",
    "websockets/handlers/echo_wsh.py": (
        "def web_socket_do_extra_handshake(request):\n    pass\n\n"
        "def web_socket_transfer_data(request):\n    while True:\n"
        "        message = request.ws_stream.receive_message()\n        if message is None:\n            return\n"
        "        request.ws_stream.send_message(str(len(message)))\n"
    ),
}


class Server:
    """A server in a process group of its own, for one attack."""

    def __init__(self, binary, bounds=None):
        self._folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(self._folder.name)
        for name, text in FILES.items():
            path = root / "site" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.temporary = root / "tmp"
        self.temporary.mkdir()
        config = {
            "browser_host": "localhost",
            "server_host": "127.0.0.1",
            "check_subdomains": False,
            "ports": {"http": ["auto"], "h2": ["auto"], "ws": ["auto"], "https": ["auto"]},
            "ssl": {"type": "openssl", "openssl": {"base_path": str(root / "certs")}},
        }
        if bounds is not None:
            config["bounds"] = bounds
        (root / "config.json").write_text(json.dumps(config))
        command = [binary, "serve", "--config", root / "config.json", "--doc-root", root / "site"]
        command += ["--ready-file", root / "ready"]
        self._log = open(root / "log", "w+b")
        self._process = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE)),
        )
        deadline = time.monotonic() + 60
        while not (root / "ready").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server does not start: " + self.log())
            time.sleep(0.01)
        self.ports = json.loads((root / "ready").read_text())["ports"]

    def __enter__(self):
        return self

    def kill(self):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def __exit__(self, *_):
        self.kill()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def port(self, scheme):
        return self.ports[scheme][0]

    def log(self):
        self._log.flush()
        return pathlib.Path(self._log.name).read_text(errors="replace")

    def is_alive(self):
        return self._process.poll() is None

    def processes(self):
        """The server's process and its descendants."""
        found, waiting = [], [self._process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            try:
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    waiting += map(int, (task / "children").read_text().split())
            except OSError:
                continue
        return found

    def peak(self):
        """The most resident memory that the processes have ever had, in MiB."""
        return sum(self._status(pid, "VmHWM") for pid in self.processes())

    def resident(self):
        """The resident memory of the processes now, in MiB."""
        return sum(self._status(pid, "VmRSS") for pid in self.processes())

    @staticmethod
    def _status(pid, key):
        try:
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(key + ":"):
                    return int(line.split()[1]) // 1024
        except OSError:
            pass
        return 0

    def temporary_bytes(self):
        """What unnamed files in the temporary folder hold, in MiB."""
        total = 0
        for pid in self.processes():
            try:
                for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                    target = os.readlink(entry)
                    if target.startswith(str(self.temporary)):
                        total += os.stat(entry).st_size
            except OSError:
                continue
        return total >> 20

    def connect(self, scheme="http"):
        return socket.create_connection(("127.0.0.1", self.port(scheme)), timeout=TIMEOUT)


class Neighbour(threading.Thread):
    """Asks for a small page twice a second while an attack goes on, and ends a server that takes the machine's memory."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self._server, self._over = server, threading.Event()
        self.answered, self.failed, self.slowest = 0, 0, 0.0
        self.was_killed = False

    def ask(self):
        begun = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._server.port("http"), timeout=TIMEOUT)
            connection.request("GET", "/quick.py")
            is_right = connection.getresponse().read() == b"quick"
            connection.close()
        except OSError:
            is_right = False
        except http.client.HTTPException:
            is_right = False
        self.slowest = max(self.slowest, time.monotonic() - begun)
        if is_right:
            self.answered += 1
        else:
            self.failed += 1

    def run(self):
        while not self._over.is_set():
            self.ask()
            self._over.wait(0.5)

    def watch(self):
        while not self._over.wait(0.05):
            if self._server.resident() > TOO_MUCH:
                self.was_killed = True
                self._server.kill()
                return

    def start(self):
        super().start()
        threading.Thread(target=self.watch, daemon=True).start()

    def finish(self):
        self._over.set()
        self.join(2 * TIMEOUT)
        self.ask()


def send(connection, data):
    """Sends as long as the server takes it; false when it does not any more."""
    try:
        connection.sendall(data)
        return True
    except OSError:
        return False


def last_words(connection, seconds=TIMEOUT):
    """What comes until the connection ends, or for so long."""
    data = b""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.settimeout(max(deadline - time.monotonic(), 0.01))
        try:
            more = connection.recv(65536)
        except TimeoutError:
            return data, False
        except OSError:
            return data, True
        if not more:
            return data, True
        data = data[-(1 << 20) :] + more
    return data, False


def tally(outcomes):
    """`3 x 431, 2 x closed`."""
    counts = {outcome: outcomes.count(outcome) for outcome in outcomes}
    return ", ".join(f"{count} x {outcome}" for outcome, count in counts.items())


def outcome(connection, seconds=TIMEOUT):
    """The status of an answer of HTTP/1, or how else it ended."""
    data, ended = last_words(connection, seconds)
    if data.startswith(b"HTTP/1.1 "):
        return data[9:12].decode()
    return "closed" if ended else "still open"


def websocket(server, extensions=""):
    """A connection with an open WebSocket."""
    connection = server.connect("ws")
    lines = [
        "GET /echo HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    if extensions:
        lines.append(f"Sec-WebSocket-Extensions: {extensions}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = connection.recv(1)
        if not more:
            raise ConnectionError("no WebSocket")
        head += more
    return connection


def frame(first, payload):
    """A frame of a WebSocket with a mask of zeros."""
    return struct.pack("!BBQI", first, 0x80 | 127, len(payload), 0) + payload


def close_code(connection, seconds=TIMEOUT):
    """The code of the Close that a WebSocket ends with."""
    data, ended = last_words(connection, seconds)
    at = data.rfind(b"\x88")
    if at >= 0 and len(data) >= at + 4:
        return str(struct.unpack("!H", data[at + 2 : at + 4])[0])
    return "closed" if ended else "still open"


class H2:
    """An HTTP/2 connection whose windows stay as they are said to be."""

    def __init__(self, server, window):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(server.connect("h2"), server_hostname="localhost")
        self._stream = 1
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(4, 0, 0, struct.pack("!HI", 4, window))

    def send(self, kind, flags, stream, payload):
        return send(self.socket, struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload)

    def request(self, path, method="GET", end=True):
        block = b""
        for name, value in [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)]:
            block += b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        stream, self._stream = self._stream, self._stream + 2
        return stream if self.send(1, 4 | int(end), stream, block) else None

    def goaway(self, seconds=TIMEOUT):
        """The code of the GOAWAY at the end."""
        data, ended = last_words(self.socket, seconds)
        at = data.rfind(b"\x07\x00\x00\x00\x00\x00")
        if at >= 0 and len(data) >= at + 14:
            return "GOAWAY %d" % struct.unpack("!I", data[at + 10 : at + 14])
        return "closed" if ended else "still open"
