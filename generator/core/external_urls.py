"""Addresses of units: in this atlas, wherever it is published, and on the sites that the literature links.

>>> read_address("https://microscope.openai.com/models/inceptionv1/mixed4a_3x3_0/5")
ExternalUnit(checkpoint='inception5h', layer='mixed4a_3x3', channels='5')
>>> read_address("https://storage.googleapis.com/distill-circuits/inceptionv1-weight-explorer/mixed3b_379.html")
ExternalUnit(checkpoint='inception5h', layer='mixed3b', channels='379')
>>> read_address("https://host/atlas/embed/bvlc_googlenet/mixed4a/11.html")
ExternalUnit(checkpoint='bvlc_googlenet', layer='mixed4a', channels='11')

An address names a checkpoint and a unit. The same number is another unit in another checkpoint, so compare both.
:mod:`generator.core.units` tells whether the layer and the channel exist.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from generator.core.architecture import BRANCHES

LUCID_CHECKPOINT = "inception5h"
"""The checkpoint of Lucid, Distill's articles, the weight explorer and the gallery of 2016, by our name."""

_MICROSCOPE_MODELS = {"inceptionv1": LUCID_CHECKPOINT}  # any other model keeps its own name
_HOSTED = re.compile(r"(https?://)?[\w-]+(\.[\w-]+)+(:\d+)?/", re.ASCII)
_LAYER = re.compile(r"(conv2d\d|mixed\d[a-z](_\w+)?)(@[a-z0-9_]+)?|output", re.ASCII)
_FILE = re.compile(r"(-[a-z]+)?\.(html|json|jpg|webp)$")


@dataclass(frozen=True, slots=True)
class ExternalUnit:
    """What an address names: a layer of a checkpoint, and channels of it, or None for all. The layer may be a branch,
    and is spelled as it stands there."""

    checkpoint: str
    layer: str
    channels: str | None

    def __str__(self) -> str:
        return self.layer if self.channels is None else f"{self.layer}:{self.channels}"


def is_address(word: str) -> bool:
    """Whether a word is an address, and not the name of a unit."""
    ends = word.lower().endswith((".html", ".json", ".jpg", ".webp")) or (word.endswith("/") and word.count("/") > 1)
    return "://" in word or ends or bool(_HOSTED.match(word))


def read_address(address: str) -> ExternalUnit | None:
    """The unit or layer that an address names, or None if it names neither.

    Raises ValueError for a text that is no address.
    """
    split = urlsplit(address if "://" in address or not _HOSTED.match(address) else f"https://{address}")
    parts = [part for part in unquote(split.path).split("/") if part]
    ours = _atlas(split, parts)
    if ours and _FILE.search(parts[-1]):  # no other site has such files, and an atlas may lie under a folder “models”
        return ours
    for folder, read in _OTHERS.items():
        if folder in parts[:-1]:
            named = read(parts[parts.index(folder) + 1 :])
            # another folder of that name, with an atlas in it
            return ours if ours and not (named and (named.channels or "0").isdigit()) else named
    return ours


def _microscope(parts: list[str]) -> ExternalUnit | None:
    """OpenAI Microscope, 2020: models/inceptionv1/mixed4a_0/11. Its layers end with the number of an output."""
    if len(parts) < 2:
        return None
    model, layer, *rest = parts
    return ExternalUnit(_MICROSCOPE_MODELS.get(model, model), layer.removesuffix("_0"), rest[0] if rest else None)


def _weight_explorer(parts: list[str]) -> ExternalUnit | None:
    """Distill's weight explorer, 2020, at either of its two places: inceptionv1-weight-explorer/mixed3b_379.html."""
    named = re.fullmatch(r"(\w+?)_(\d+)\.html", parts[-1], re.ASCII)
    return ExternalUnit(LUCID_CHECKPOINT, named[1], named[2]) if named else None


def _gallery(parts: list[str]) -> ExternalUnit | None:
    """The gallery of 2016, a page for each layer: tensorflow_inception/mixed4d_5x5_pre_relu.html."""
    named = re.fullmatch(r"(\w+?)(_pre_relu)?\.html", parts[-1], re.ASCII)
    return ExternalUnit(LUCID_CHECKPOINT, named[1], None) if named and named[1] != "index" else None


_OTHERS: Mapping[str, Callable[[list[str]], ExternalUnit | None]] = {
    "models": _microscope,
    "inceptionv1-weight-explorer": _weight_explorer,
    "tensorflow_inception": _gallery,
}
"""The reader for a folder in the address. People have copied these sites to other hosts, with all folders."""


def _atlas(split: SplitResult, parts: list[str]) -> ExternalUnit | None:
    """An atlas of ours: /CHECKPOINT/LAYER/11.html and the files beside it, or /CHECKPOINT/LAYER/."""
    if parts and parts[-1] in ("index.html", "index.json", "index.jpg"):
        parts = parts[:-1]
    if len(parts) >= 3 and _LAYER.fullmatch(parts[-2]) and re.fullmatch(r"\d+(-\w+)?(\.\w+)?", parts[-1], re.ASCII):
        return ExternalUnit(parts[-3], parts[-2], _FILE.sub("", parts[-1]))
    if len(parts) < 2 or not _LAYER.fullmatch(parts[-1]):
        return None
    branch = f"_{split.fragment}" if split.fragment in BRANCHES else ""
    return ExternalUnit(parts[-2], f"{parts[-1]}{branch}", None)
