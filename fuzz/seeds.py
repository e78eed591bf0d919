#!/usr/bin/env python3
"""Makes small requests of what senders really sent, for the fuzz targets to begin with.

    fuzz/seeds.py     writes fuzz/corpus/decode and fuzz/corpus/take

Of each metric of the first two requests of a recording (tests/recordings) it keeps two points.
"""

import gzip
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
RECORDINGS = HERE.parent / "tests/recordings/data"
# Where messages are in messages: a request's resources, their scopes, those's metrics, the data of these.
PATH = [{1}, {2}, {2}, {5, 7, 9, 10, 11}]
POINTS = 2


def number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(message: bytes):
    """Each field: its number, its payload where it is bytes, and all of its bytes."""
    at = 0
    while at < len(message):
        start = at
        key, at = varint(message, at)
        payload = None
        if key & 7 == 0:
            _, at = varint(message, at)
        elif key & 7 == 2:
            length, at = varint(message, at)
            payload = message[at : at + length]
            at += length
        else:
            at += {1: 8, 5: 4}[key & 7]
        yield key >> 3, payload, message[start:at]


def small(message: bytes, path=PATH) -> bytes:
    out, points = b"", 0
    for field, payload, whole in fields(message):
        if path and field in path[0]:
            inner = small(payload, path[1:])
            whole = number(field << 3 | 2) + number(len(inner)) + inner
        elif not path and field == 1:
            points += 1
        if points <= POINTS:
            out += whole
    return out


def first_two(recording: pathlib.Path) -> list[bytes]:
    with gzip.open(recording) as file:
        return [small(file.read(*struct.unpack(">I", file.read(4)))) for _ in range(2)]


def main() -> None:
    folders = {name: HERE / "corpus" / name for name in ("decode", "take")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    for recording in sorted(RECORDINGS.glob("*.otlp.gz")):
        name = recording.name.split(".")[0]
        requests = first_two(recording)
        for index, request in enumerate(requests):
            (folders["decode"] / f"{name}-{index}").write_bytes(request)
        both = b"".join(struct.pack(">H", len(request)) + request for request in requests)
        (folders["take"] / name).write_bytes(both)


if __name__ == "__main__":
    main()
