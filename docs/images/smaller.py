"""Writes a screenshot again with a palette of its 256 most frequent colors: `smaller.py PICTURE.png`. A third of the size, same look.

Needs nothing but Python. Reads what Chromium writes: 8 bits a channel, no interlacing.
"""

import struct
import sys
import zlib
from collections import Counter


def read(path):
    """Width, height and the colors of a picture, line by line."""
    data, at, packed = open(path, "rb").read(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        chunk, at = data[at + 8 : at + 8 + size], at + 12 + size
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", chunk)
            assert depth == 8 and color in (2, 6) and not interlaced, "not a screenshot of Chromium"
        elif kind == b"IDAT":
            packed += chunk
    step = 3 if color == 2 else 4
    raw, length = zlib.decompress(packed), width * step
    above, lines = bytearray(length), []
    for top in range(0, height * (length + 1), length + 1):
        line = bytearray(raw[top + 1 : top + 1 + length])
        for i in range(length):
            left, up = line[i - step] if i >= step else 0, above[i]
            corner = above[i - step] if i >= step else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda value: abs(guess - value))
            line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[raw[top]]) & 255
        lines.append([bytes(line[i : i + 3]) for i in range(0, length, step)])
        above = line
    return width, height, lines


def write(path, width, height, lines):
    """Writes the picture with at most 256 colors."""
    counted = Counter(color for line in lines for color in line)
    palette = [color for color, _ in counted.most_common(256)]
    far = lambda one, other: sum((a - b) ** 2 for a, b in zip(one, other))
    number = {color: min(range(len(palette)), key=lambda n: far(palette[n], color)) for color in counted}
    body = b"".join(b"\0" + bytes(number[color] for color in line) for line in lines)

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)))
        file.write(chunk(b"PLTE", b"".join(palette)) + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND", b""))


write(sys.argv[1], *read(sys.argv[1]))
