"""A message that does not end."""

import base

NAME = "a WebSocket message of 300 fragments of 4 MiB"
BOUND = "`websocket_message_bytes`, `buffered_bytes`"


def run(server):
    connection = base.websocket(server)
    payload = bytes(4 << 20)
    for number in range(300):
        if not base.send(connection, base.frame(0 if number else 2, payload)):
            break
    return base.close_code(connection, 5)
