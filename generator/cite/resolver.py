"""What a word or an address means in an atlas: a unit, the page of a layer, or why it stays as it is.

>>> resolver = Resolver(Atlas.open("https://host/atlas/"))            # doctest: +SKIP
>>> resolver.of_word("4a:11")                                         # doctest: +SKIP
PublishedUnit(checkpoint='bvlc_googlenet', unit=Unit(layer='mixed4a', channel=11), ...
>>> resolver.of_address("https://microscope.openai.com/models/inceptionv1/mixed4a_0/11")    # doctest: +SKIP
Stays(problem='', note='https://microscope.openai.com/… names a unit of inception5h, ...

The number of a unit means another unit in another checkpoint. So an address that names a checkpoint is read as that
checkpoint's or not at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote, urlsplit

from generator.checkpoints import CHECKPOINTS
from generator.cite.mentions import LAYERS
from generator.core.directions import base_layer
from generator.core.errors import AtlasError, UsageError, did_you_mean
from generator.core.external_urls import ExternalUnit, is_address, read_address
from generator.core.text import legible
from generator.core.units import Unit, split_view
from generator.links import addresses
from generator.reader.atlas import Atlas, NoUnitError, PublishedUnit

_OLD_FOLDERS = re.compile(r"/(inceptionv1-weight-explorer|tensorflow_inception)/")
_OLD_HOSTS = ("storage.googleapis.com", "distill.pub")  # of the folders; what lies elsewhere is somebody's copy
_PAGE = re.compile(r"(?:embed/)?([^/]+)/([^/]+)/(0|[1-9][0-9]{0,5})(?:-([a-z]+))?(?:\.(?:html|json|jpg|webp))?")
_LAYER = re.compile(r"([^/]+)/([^/]+)/(?:index\.(?:html|json|jpg))?")
_STORED = re.compile(r"store/([0-9a-f]{2})/([0-9a-f]{62})\.(?:[0-9a-f]{16}(?:\.thumb)?\.webp|json)")
_PICTURE = re.compile(r"p-[0-9a-f]{8}")
_UNITS_LAYER = r"(?:mixed\d\w*|conv\w*|inception_?\d\w*|[345][a-e](?:_\w+)?)(?:@[\w-]+)?"
_LOOKS = re.compile(
    rf"(?:[\w-]+/)?(?:{_UNITS_LAYER}[:/_ ]+(?:(?:[135]x[135]|7x7_s2|3x3_reduce|pool|reduce|proj|bottleneck|output)"
    r"[:/_ ]+)*\d+|\d[a-z]:\d+)(?P<more>[-,][0-9,-]*)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class LayerReference:
    """The page of a layer of this atlas, or of a branch of it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Stays:
    """What is not to be written anew: an address of this atlas that is right; one with a ``problem``, such as a unit
    that does not exist; or one with a ``note``, such as a unit of a checkpoint that this atlas does not have."""

    problem: str = ""
    note: str = ""


RIGHT = Stays()
Meaning = PublishedUnit | LayerReference | Stays | None


class Resolver:
    """Reads words and addresses for one atlas. Names without a checkpoint mean ``checkpoint``, or the atlas's first."""

    def __init__(self, atlas: Atlas, checkpoint: str | None = None) -> None:
        """Raises UsageError if the atlas has no such checkpoint, or no address that documents could link."""
        if not atlas.url:
            raise UsageError(
                f"the atlas in {atlas.location.name} does not say where it is published, so nothing can link it: set "
                "url in atlas.toml and type `atlas build`, or name the published one with --atlas https://host/path/"
            )
        if checkpoint is not None:
            atlas.named(checkpoint)
        self.atlas = atlas
        self.checkpoint = checkpoint
        self._kept: dict[str, frozenset[str]] = {}

    def of_word(self, word: str) -> Meaning:
        """What a name or what stands in [[brackets]] means: None if it is no unit at all."""
        if is_address(word):  # to become a unit of this atlas, so it may be any atlas's
            meaning = self.of_address(word)
            return self.atlas[word] if meaning in (None, RIGHT) and word in self.atlas else meaning
        head, _, rest = word.partition("/")
        if rest and head not in self.atlas.checkpoints and head in CHECKPOINTS:
            return self._foreign(word, head)
        full = f"{self.checkpoint}/{word}" if self.checkpoint and head not in self.atlas.checkpoints else word
        try:
            return self.atlas[full]
        except NoUnitError as error:
            if "|" in word:
                said = f"[[{word}]] has a text of its own; write [text](address) for a link"
                return Stays(note=said) if _LOOKS.fullmatch(word.partition("|")[0].strip()) else None
            looks = _LOOKS.fullmatch(split_view(word)[0])
            if (looks and looks["more"]) or word.lower() in LAYERS:
                return Stays(note=str(error))
            if looks and rest and _LOOKS.fullmatch(split_view(rest)[0]):
                return self._foreign(word, head)
            return Stays(str(error)) if looks else None

    def of_ref(self, word: str, *, is_command: bool = False) -> Meaning:
        """What the ref of an <atlas-unit> means, or the argument of a command of atlas.sty, which reads one spelling
        only."""
        try:
            unit = self.atlas[word]
        except NoUnitError as error:
            return Stays(str(error))
        if is_command and word not in (str(unit), unit.quoted.name, unit.quoted.short):
            return Stays(f"atlas.sty cannot read “{legible(word)}”; write {unit if '/' in word else unit.quoted.name}")
        return unit

    def of_address(self, address: str) -> Meaning:
        """What an address means that stands in a document. None if it is neither of this atlas nor of an old site."""
        if own := self.of_own(address):
            return own
        try:
            split = urlsplit(address if "//" in address else f"//{address}")
            host = (split.hostname or "").removeprefix("www.")
            old = host == "microscope.openai.com" and split.path.startswith("/models/")
            if not old and not (host in _OLD_HOSTS and _OLD_FOLDERS.search(split.path)):
                return None
            address = f"https:{address}" if address.startswith("//") else address
            named = read_address(address)
        except ValueError:
            return None
        if named is None or (not old and base_layer(named.layer) not in LAYERS):
            return None  # a folder of that name, with something else in it
        if named.checkpoint not in self.atlas.checkpoints:
            return self._foreign(address, named.checkpoint)
        if base_layer(named.layer) not in LAYERS:
            return Stays(note=f"{legible(address)} names no layer that an atlas has; it is left as it is")
        if named.channels is None:
            return self._layer(named)
        try:
            return self.atlas[address]
        except NoUnitError as error:
            return Stays(f"{legible(address)}: {error}")

    def of_own(self, address: str) -> Stays | None:
        """Whether an address of this atlas leads where it says. None if it is not of this atlas, or about no unit."""
        try:
            there, here = urlsplit(address), urlsplit(self.atlas.url)
        except ValueError:
            return None
        path, root = unquote(there.path), unquote(here.path)
        if there.scheme.lower() not in ("http", "https", "") or there.netloc.lower() != here.netloc.lower():
            return None
        if not path.startswith(root):
            return None
        path = path.removeprefix(root)
        nowhere = f"{legible(address)} leads nowhere:"
        if stored := _STORED.fullmatch(path):
            return self._of_store(nowhere, path, stored[1] + stored[2])
        if (page := _PAGE.fullmatch(path)) and (page[1] in self.atlas.checkpoints or base_layer(page[2]) in LAYERS):
            view = page[4] or (there.fragment[5:] if there.fragment.startswith("view-") else "")
            return self._of_page(nowhere, page[1], Unit(page[2], int(page[3])), view, there.fragment)
        if (layer := _LAYER.fullmatch(path)) and layer[1] not in addresses.RESERVED and base_layer(layer[2]) in LAYERS:
            return RIGHT if (layer[1], layer[2]) in self._layers else Stays(f"{nowhere} the atlas has no such layer")
        return None  # the atlas may be at the root of a host that has other pages too

    def _of_page(self, nowhere: str, checkpoint: str, unit: Unit, view: str, fragment: str) -> Stays:
        if checkpoint not in self.atlas.checkpoints:
            known = did_you_mean(checkpoint, self.atlas.checkpoints)
            return Stays(f"{nowhere} no checkpoint “{legible(checkpoint)}”, {known}")
        published = self.atlas.checkpoints[checkpoint].units.get(unit)
        if published is None:
            return Stays(f"{nowhere} {unit} of {checkpoint} is not in the atlas")
        if view and view not in published.views:
            return Stays(f"{nowhere} {unit} of {checkpoint} has no view {legible(view)}")
        now, *others = (addresses.picture_fragment(each.sha256) for each in (published, *published.views.values()))
        if _PICTURE.fullmatch(fragment) and fragment not in (now, *others):
            return Stays(f"the picture of {unit} has changed since: #{fragment} is #{now} now")
        return RIGHT

    def _of_store(self, nowhere: str, path: str, key: str) -> Stays:
        shows = self._by_key.get(key)
        if shows is None:  # by another recipe, or of another view: kept for ever, and no page's first picture
            return RIGHT if path in self._files_of(key) else Stays(f"{nowhere} the atlas keeps no such picture")
        if path.endswith(".json") or path in (shows.picture, shows.thumbnail):
            return RIGHT
        now = shows.thumbnail if path.endswith(".thumb.webp") else shows.picture
        return Stays(f"the picture of {shows.unit} has changed since: {path} is {self.atlas.url}{now} now")

    def _files_of(self, key: str) -> frozenset[str]:
        """The addresses of a record of the store and of its pictures; none if there is no such record."""
        if key not in self._kept:
            address = addresses.stored_record_address(key)
            try:
                record, _ = self.atlas.origin.answer(address)
                pictures = (f"{addresses.STORE}/{file.name}" for file in record.files)
                self._kept[key] = frozenset((address, *pictures)) if record.key == key else frozenset()
            except AtlasError:
                self._kept[key] = frozenset()
        return self._kept[key]

    def _layer(self, named: ExternalUnit) -> LayerReference | Stays:
        net = self.atlas.checkpoints[named.checkpoint].architecture
        if named.layer not in net.layers:
            return Stays(f"{net.name} has no layer {named.layer}")
        parent, _, branch = named.layer.partition("_")
        is_branch = net.layers[named.layer].kind == "branch"
        page = parent if is_branch else named.layer
        if (named.checkpoint, page) not in self._layers:
            return Stays(f"no unit of {page} of {named.checkpoint} is rendered in this atlas")
        url = self.atlas.url + addresses.layer_address(named.checkpoint, page)
        return LayerReference(named.layer, f"{url}#{branch}" if is_branch else url)

    def _foreign(self, said: str, checkpoint: str) -> Stays:
        ours = ", ".join(self.atlas.checkpoints)
        note = (
            f"{legible(said)} names a unit of {legible(checkpoint)}, and this atlas has {ours}, where the same number"
        )
        return Stays(note=f"{note} is another unit; it is left as it is")

    @cached_property
    def _layers(self) -> frozenset[tuple[str, str]]:
        return frozenset((unit.checkpoint, unit.unit.layer) for unit in self.atlas)

    @cached_property
    def _by_key(self) -> dict[str, PublishedUnit]:
        """Whose pictures are kept under a key."""
        return {unit.key: unit for unit in self.atlas}
