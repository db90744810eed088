"""The address at which an atlas is published. All links of its pages and quotes begin with it.

>>> read_base_url("HTTPS://Host.example/atlas")
'https://host.example/atlas/'
>>> read_base_url("https://bücher.example/(1)/")
'https://xn--bcher-kva.example/%281%29/'
>>> read_base_url("http://[::1]:8000/~me/a,b@c")
'http://[::1]:8000/~me/a,b@c/'

It goes into HTML, Markdown and LaTeX. So what has a meaning there is percent-encoded, which servers read as the same.
"""

import re
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit

from generator.core.text import is_line

_NOWHERE = re.compile(r'[\s"<>\\^`{|}?#]')  # no address has these; "?" and "#" begin what is no folder
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_KEPT = "ßς\u200c\u200d"  # the standard library maps these to other letters, and thus to another host


def read_base_url(text: str) -> str:
    """The address as it must be written, with a slash at its end: host in lower-case ASCII, path percent-encoded.

    Raises ValueError if the text is not the address of a folder, by http or https.
    """
    if _NOWHERE.search(text) or not is_line(text):
        raise ValueError("it has characters that no address of a folder has")
    split = urlsplit(text)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise ValueError("it does not begin with https:// and a host")
    if "@" in split.netloc:
        raise ValueError("it has more than a host and its port before the path")
    path = re.sub("%(?![0-9A-Fa-f]{2})", "%25", quote(split.path, safe="/%~+,@=:"))
    port = "" if split.port is None else f":{split.port}"
    return f"{split.scheme}://{_host(unquote(split.hostname))}{port}{path.rstrip('/')}/"


def _host(name: str) -> str:
    if ":" in name:
        return f"[{ip_address(name)}]".replace("%", "%25")  # before the name of an interface
    labels = (
        f"xn--{label.encode('punycode').decode()}" if set(label) & set(_KEPT) else label
        for label in re.split("[.。．｡]", name)
    )
    host = name.lower() if name.isascii() else ".".join(labels).encode("idna").decode().lower()
    if not _HOST.fullmatch(host):
        raise ValueError(f"“{host}” cannot be a host")
    return host
