"""What a word or an address means in an atlas: a unit, the page of a layer, an address that is right, or a mistake.

>>> resolver = Resolver(Atlas.open("https://host/atlas/"))            # doctest: +SKIP
>>> resolver.of_word("4a:11")                                         # doctest: +SKIP
PublishedUnit(checkpoint='bvlc_googlenet', unit=Unit(layer='mixed4a', channel=11), ...
>>> resolver.of_address("https://microscope.openai.com/models/inceptionv1/mixed4a_0/11")    # doctest: +SKIP
OtherCheckpoint(why='https://microscope.openai.com/… names a unit of inception5h, ...

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
from generator.core.errors import AtlasError, UsageError, did_you_mean
from generator.core.external_urls import LUCID_CHECKPOINT, ExternalUnit, is_address, read_address
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
_UNITS_LAYER = r"mixed\d\w*|conv\w*|inception_?\d\w*|[345][a-e](?:_\w+)?"
_RANGE = re.compile(r"(?:(?P<of>[\w-]+)/)?(?P<layer>\w+):[0-9]+[-,][0-9,-]*", re.ASCII)
_LOOKS = re.compile(
    rf"(?:[\w-]+/)?(?:(?:{_UNITS_LAYER})[:/_ ]+(?:(?:[135]x[135]|7x7_s2|3x3_reduce|pool|reduce|proj|bottleneck|output)"
    r"[:/_ ]+)*\d+|\d[a-z]:\d+)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class LayerReference:
    """The page of a layer of this atlas, or of a branch of it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Valid:
    """An address of this atlas that leads where it says."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A unit that does not exist, or a picture that has changed."""

    what: str


@dataclass(frozen=True, slots=True)
class OtherCheckpoint:
    """A unit of a checkpoint that this atlas does not have. It is never taken for a unit of another one."""

    why: str


Meaning = PublishedUnit | LayerReference | Valid | Invalid | OtherCheckpoint | None


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
        self._records: dict[str, frozenset[str]] = {}
        self._is_lucids = self._is_guessed = False  # an address of its weights; a name without a checkpoint

    def of_word(self, word: str) -> Meaning:
        """What a name or what stands in [[brackets]] means: None if it is no unit at all."""
        if is_address(word):
            return self._of_bracketed_address(word)
        head, _, rest = word.partition("/")
        if rest and head not in self.atlas.checkpoints and head in CHECKPOINTS:
            return self._foreign(word, head)
        named, _ = split_view(word)
        full = f"{self.checkpoint}/{word}" if self.checkpoint and head not in self.atlas.checkpoints else word
        try:
            unit = self.atlas[full]
            self._is_guessed |= full == word and head not in self.atlas.checkpoints
            return unit
        except NoUnitError as error:
            if not looks_like_a_unit(named):
                return OtherCheckpoint(why) if (why := left_out(word)) else None
            return (
                self._foreign(word, head)
                if rest and looks_like_a_unit(named.partition("/")[2])
                else Invalid(str(error))
            )

    def of_ref(self, word: str, *, is_command: bool = False) -> Meaning:
        """What the ref of an <atlas-unit> means, or the argument of a command of atlas.sty, which reads one spelling
        only."""
        try:
            unit = self.atlas[word]
        except NoUnitError as error:
            return Invalid(str(error))
        if is_command and word not in (str(unit), unit.quoted.name, unit.quoted.short):
            return Invalid(
                f"atlas.sty cannot read “{legible(word)}”; write {unit if '/' in word else unit.quoted.name}"
            )
        return unit

    def of_address(self, address: str) -> Meaning:
        """What an address means that stands in a document. None if it is neither of this atlas nor of an old site."""
        if (own := self.of_own(address)) is not None:
            return own
        address = f"https:{address}" if address.startswith("//") else address
        try:
            host, path = _place(address)
            old = host == "microscope.openai.com" and path.startswith("/models/")
            if not old and not (host in _OLD_HOSTS and _OLD_FOLDERS.search(path)):
                return None
            named = read_address(address)
        except ValueError:
            return None
        if named is None or (not old and named.layer not in LAYERS):
            return None  # a folder of that name, with something else in it
        if named.checkpoint not in self.atlas.checkpoints:
            self._is_lucids |= named.checkpoint == LUCID_CHECKPOINT
            return self._foreign(address, named.checkpoint)
        if named.layer not in LAYERS:
            return OtherCheckpoint(f"{legible(address)} names no layer that an atlas has; it is left as it is")
        if named.channels is None:
            return self._layer(named)
        try:
            return self.atlas[address]
        except NoUnitError as error:
            return Invalid(f"{legible(address)}: {error}")

    @property
    def doubt(self) -> str:
        """What may have gone wrong in a document that was read to its end: it speaks of Google's weights, and names
        were taken for others'. "" if nothing did."""
        if not (self._is_lucids and self._is_guessed):
            return ""
        first = next(iter(self.atlas.checkpoints))
        return (
            f"addresses here name {LUCID_CHECKPOINT}, names were read as {first}; say --checkpoint if that is not meant"
        )

    def of_own(self, address: str) -> Valid | Invalid | None:
        """Whether an address of this atlas leads where it says. None if it is not of this atlas, or about no unit."""
        try:
            there, here = urlsplit(address), urlsplit(self.atlas.url)
        except ValueError:
            return None
        path = unquote(there.path)
        if there.scheme.lower() not in ("http", "https", "") or there.netloc.lower() != here.netloc.lower():
            return None
        if not path.startswith(unquote(here.path)):
            return None
        path = path.removeprefix(unquote(here.path))
        if stored := _STORED.fullmatch(path):
            return self._stored(address, path, stored[1] + stored[2])
        if page := _PAGE.fullmatch(path):
            return self._page(address, page[1], Unit(page[2], int(page[3])), page[4] or "", there.fragment)
        if (layer := _LAYER.fullmatch(path)) and layer[1] not in addresses.RESERVED and layer[2] in LAYERS:
            return (
                Valid() if (layer[1], layer[2]) in self._layers else Invalid(f"{legible(address)} is not in the atlas")
            )
        return None

    def _page(self, address: str, checkpoint: str, unit: Unit, view: str, fragment: str) -> Valid | Invalid | None:
        if checkpoint not in self.atlas.checkpoints:
            if unit.layer not in LAYERS:
                return None  # where the atlas is at the root of a host that has other pages too
            known = did_you_mean(checkpoint, self.atlas.checkpoints)
            return Invalid(f"{legible(address)} leads nowhere: no checkpoint “{legible(checkpoint)}”, {known}")
        published = self.atlas.checkpoints[checkpoint].units.get(unit)
        if published is None:
            return Invalid(f"{legible(address)} leads nowhere: {unit} of {checkpoint} is not in the atlas")
        view = view or (fragment.removeprefix("view-") if fragment.startswith("view-") else "")
        if view and view not in published.views:
            return Invalid(f"{legible(address)} leads nowhere: {unit} of {checkpoint} has no view {legible(view)}")
        now = addresses.picture_fragment(published.sha256)
        shown = {now, *(addresses.picture_fragment(view.sha256) for view in published.views.values())}
        if _PICTURE.fullmatch(fragment) and fragment not in shown:
            return Invalid(f"the picture of {unit} has changed since: #{fragment} is #{now} now")
        return Valid()

    def _stored(self, address: str, path: str, key: str) -> Valid | Invalid:
        shows = self._by_key.get(key)
        if shows is None:  # by another recipe, or of another view: kept for ever, and no page's first picture
            kept = path in self._kept(key)
            return Valid() if kept else Invalid(f"{legible(address)} leads nowhere: the atlas keeps no such picture")
        if path.endswith(".json") or path in (shows.picture, shows.thumbnail):
            return Valid()
        now = shows.thumbnail if path.endswith(".thumb.webp") else shows.picture
        return Invalid(
            f"the picture of {shows.unit} has changed since: {legible(address)} is {self.atlas.url}{now} now"
        )

    def _kept(self, key: str) -> frozenset[str]:
        """The addresses of a record of the store and of its pictures; none if there is no such record."""
        if key not in self._records:
            address = addresses.stored_record_address(key)
            try:
                record, _ = self.atlas.origin.answer(address)
                pictures = (f"{addresses.STORE}/{file.name}" for file in record.files)
                self._records[key] = frozenset((address, *pictures)) if record.key == key else frozenset()
            except AtlasError:
                self._records[key] = frozenset()
        return self._records[key]

    def _layer(self, named: ExternalUnit) -> LayerReference | Invalid:
        net = self.atlas.checkpoints[named.checkpoint].architecture
        if named.layer not in net.layers:
            return Invalid(f"{net.name} has no layer {named.layer}")
        parent, _, branch = named.layer.partition("_")
        is_branch = net.layers[named.layer].kind == "branch"
        page = parent if is_branch else named.layer
        if (named.checkpoint, page) not in self._layers:
            return Invalid(f"no unit of {page} of {named.checkpoint} is rendered in this atlas")
        url = self.atlas.url + addresses.layer_address(named.checkpoint, page)
        return LayerReference(named.layer, f"{url}#{branch}" if is_branch else url)

    def _of_bracketed_address(self, word: str) -> Meaning:
        """An address in [[brackets]] is asked to become a unit of this atlas, so it may be any atlas's."""
        meaning = self.of_address(word)
        if meaning is not None and not isinstance(meaning, Valid):
            return meaning
        try:
            return self.atlas[word]
        except NoUnitError:
            return None

    def _foreign(self, said: str, checkpoint: str) -> OtherCheckpoint:
        ours = ", ".join(self.atlas.checkpoints)
        return OtherCheckpoint(
            f"{legible(said)} names a unit of {legible(checkpoint)}, and this atlas has {ours}, where the same "
            "number is another unit; it is left as it is"
        )

    @cached_property
    def _layers(self) -> frozenset[tuple[str, str]]:
        return frozenset((unit.checkpoint, unit.unit.layer) for unit in self.atlas)

    @cached_property
    def _by_key(self) -> dict[str, PublishedUnit]:
        """Whose pictures are kept under a key."""
        return {unit.key: unit for unit in self.atlas}


def _place(address: str) -> tuple[str, str]:
    """The host of an address, which may have no scheme, and the path there. Raises ValueError if it is none."""
    split = urlsplit(address if "//" in address else f"//{address}")
    return (split.hostname or "").removeprefix("www."), split.path


def looks_like_a_unit(word: str) -> bool:
    """Whether somebody who wrote [[word]] must have meant a unit, even if there is none.

    >>> [looks_like_a_unit(w) for w in ("4a:9999", "9z:1", "inception_4a/output 197", "Some page", "3d models", "2024")]
    [True, True, True, False, False, False]
    """
    return bool(_LOOKS.fullmatch(word))


def left_out(word: str) -> str:
    """Why [[word]] stays, which names units but no single one; "" if it names none.

    >>> left_out("4a:82|a curve")
    '[[4a:82|a curve]] has a text of its own; write [a curve](address) for a link'
    >>> left_out("mixed4a:0-9")
    '[[mixed4a:0-9]] names several units; name each for itself'
    >>> left_out("mixed4a"), left_out("Some page|there")
    ('[[mixed4a]] names a layer; name a unit of it, as mixed4a:0', '')
    """
    name, bar, text = (part.strip() for part in word.partition("|"))
    if bar and looks_like_a_unit(name):
        return f"[[{word}]] has a text of its own; write [{text}](address) for a link"
    if (several := _RANGE.fullmatch(name)) and looks_like_a_unit(f"{several['layer']}:0"):
        return f"[[{word}]] names several units; name each for itself"
    return f"[[{word}]] names a layer; name a unit of it, as {name}:0" if name.lower() in LAYERS else ""
