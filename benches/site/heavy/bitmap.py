"""An uncompressed bitmap of 128 by 128 pixels, pixel by pixel."""

import struct

SIZE = 128


def main(request, response):
    rows = b""
    for y in range(SIZE):
        row = b""
        for x in range(SIZE):
            row += struct.pack("<BBB", (x * 2) % 256, (y * 2) % 256, (x ^ y) % 256)
        rows += row
    head = struct.pack("<2sIHHI", b"BM", 54 + len(rows), 0, 0, 54)
    info = struct.pack("<IiiHHIIiiII", 40, SIZE, -SIZE, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    return [(b"Content-Type", b"image/bmp")], head + info + rows
