"""Text from another program or host, made safe for a person to read.

>>> legible("no\\x1b[31m such\\nhost")
'no [31m such host'
"""

from __future__ import annotations

import re

SHA256 = re.compile(r"[0-9a-f]{64}")
"""A key, a fingerprint of weights, a checksum: 64 hexadecimal digits."""


def legible(said: object, most: int = 100) -> str:
    """A text fit for one line of a terminal: without escapes and line breaks, at most ``most`` characters."""
    words = "".join(c if c.isprintable() else " " for c in str(said)[: 10 * most]).split()
    return " ".join(words)[:most]
