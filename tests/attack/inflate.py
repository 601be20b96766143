"""A message that grows."""

import zlib

import base

NAME = "a WebSocket message of 917 KB that inflates to 900 MB"
BOUND = "`websocket_message_bytes`, `buffered_bytes`"


def run(server):
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    million = bytes(1_000_000)
    data = b"".join(deflater.compress(million) for _ in range(900)) + deflater.flush(zlib.Z_SYNC_FLUSH)
    connection = base.websocket(server, "permessage-deflate")
    base.send(connection, base.frame(0xC2, data[:-4]))
    return base.close_code(connection, 15)
