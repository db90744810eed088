"""What a page is, in the words of schema.org, for search engines: https://schema.org/docs/gs.html"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from generator.links import addresses
from generator.publish.catalog import AtlasUnit
from generator.publish.urls import Urls

CONTEXT = "https://schema.org"
Schema = Callable[[Urls, str, str, str], Mapping[str, Any]]
"""Says what a page is, from its links, its address, its name and its description."""


def dataset(url: Urls, address: str, name: str, description: str) -> Mapping[str, Any]:
    """The atlas as a whole: a data set that programs read from atlas.json."""
    return {
        "@context": CONTEXT,
        "@type": "Dataset",
        "name": name,
        "description": description,
        "url": url.whole(address),
        "distribution": {
            "@type": "DataDownload",
            "encodingFormat": "application/json",
            "contentUrl": url.whole(addresses.INDEX),
        },
    }


def collection(url: Urls, address: str, name: str, description: str) -> Mapping[str, Any]:
    """A page of many units."""
    return {
        "@context": CONTEXT,
        "@type": "CollectionPage",
        "name": name,
        "description": description,
        "url": url.whole(address),
    }


def article(url: Urls, address: str, name: str, description: str) -> Mapping[str, Any]:
    """A page to read."""
    return {**collection(url, address, name, description), "@type": "WebPage"}


def unit(
    url: Urls, address: str, name: str, description: str, *, checkpoint: str, shown: AtlasUnit
) -> Mapping[str, Any]:
    """The picture of a unit that is rendered."""
    record = shown.record
    assert record is not None
    picture = record.picture
    said = {
        "@context": CONTEXT,
        "@type": "ImageObject",
        "name": name,
        "url": url.whole(address),
        "contentUrl": url.whole(addresses.picture_address(picture)),
        "thumbnailUrl": url.absolute(addresses.card_address(address)) or url.thumbnail(checkpoint, shown.unit),
        "width": picture.width,
        "height": picture.height,
        "dateCreated": record.provenance.date,
    }
    names = _each_once(word for label in shown.labels for word in (label.name, label.family) if word)
    return {**said, "keywords": ", ".join(names)} if names else said


def _each_once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
