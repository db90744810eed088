"""What static hosts take, by their documentation of November 2026. docs/scaling.md has the same table for people.

>>> list(too_much({f"{n}.html": 1 for n in range(20_001)}))
['20,001 files: Cloudflare Pages, free, takes 20,000']
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MB = 1024**2


@dataclass(frozen=True, slots=True)
class Host:
    """A host and its limits: files, megabytes (of 1024 x 1024 bytes) of a site and of a file; 0 where there is none."""

    name: str
    files: int = 0
    site: int = 0
    file: int = 0


HOSTS = (
    Host("GitHub Pages", site=1024, file=100),
    Host("GitLab Pages on GitLab.com", files=200_000, site=1024),
    Host("Cloudflare Pages, free,", files=20_000, file=25),
    Host("Cloudflare Pages, paid,", files=100_000, file=25),
)


def too_much(files: Mapping[str, int]) -> Iterator[str]:
    """What a host would refuse a site for. ``files`` are its addresses, those of the store too, with their bytes."""
    total, largest = sum(files.values()), max(files, key=files.__getitem__, default="")
    for host in HOSTS:
        if host.files and len(files) > host.files:
            yield f"{len(files):,} files: {host.name} takes {host.files:,}"
        if host.site and total > host.site * _MB:
            yield f"{total // _MB:,} MB: {host.name} takes {host.site:,}"
        if host.file and files.get(largest, 0) > host.file * _MB:
            yield f"{largest} has {files[largest] // _MB:,} MB: {host.name} takes files of {host.file}"
