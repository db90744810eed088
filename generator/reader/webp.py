"""The size of a WebP picture, from the first bytes of its file. It is checked before a decoder reads the file.

>>> import base64
>>> webp_size(base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="))
(1, 1)

A file of a few bytes may claim to be 16,383 pixels wide, and a decoder would allocate that.
"""

_ANIMATED = 2  # a flag of the extended format


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises ValueError if this is not one still picture and nothing else."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("it is not a WebP file")
    if int.from_bytes(data[4:8], "little") + 8 != len(data):
        raise ValueError("it is longer or shorter than it says itself")
    kind = data[12:16]
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return _little(data, 26, 28) & 0x3FFF, _little(data, 28, 30) & 0x3FFF
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = _little(data, 21, 25)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and not data[20] & _ANIMATED:
        return _little(data, 24, 27) + 1, _little(data, 27, 30) + 1
    raise ValueError("it is not a still WebP picture")


def _little(data: bytes, first: int, end: int) -> int:
    return int.from_bytes(data[first:end], "little")
