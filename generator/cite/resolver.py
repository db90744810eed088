"""What a word or an address means in an atlas: a unit, the page of a layer, or why it stays as it is.

>>> resolver = Resolver(Atlas.open("https://host/atlas/"))            # doctest: +SKIP
>>> resolver.of("bracketed", "4a:11", "markdown")                     # doctest: +SKIP
PublishedUnit(checkpoint='bvlc_googlenet', unit=Unit(layer='mixed4a', channel=11), ...
>>> resolver.of("link", "https://microscope.openai.com/models/inceptionv1/mixed4a_0/11", "html")    # doctest: +SKIP
Stays(problem='', note='https://microscope.openai.com/… names a unit of inception5h, ...

The number of a unit means another unit in another checkpoint. So an address that names a checkpoint is read as that
checkpoint's or not at all.
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from urllib.parse import unquote, urlsplit

from generator.cite.mentions import LAYERS, How, Language
from generator.core.directions import base_layer
from generator.core.errors import AtlasError, UsageError
from generator.core.external_urls import ExternalUnit, is_address, read_address
from generator.core.text import legible
from generator.core.units import split_view
from generator.links import addresses
from generator.reader.atlas import Atlas, NotRenderedError, NoUnitError, PublishedUnit
from generator.reader.find import find

_OLD = re.compile(  # the sites that this literature links; what lies elsewhere is somebody's copy
    r"(?:https?:)?(?://)?(?:www\.)?(?:microscope\.openai\.com/models/"
    r"|(?:storage\.googleapis\.com|distill\.pub)/(?:.*/)?(?:inceptionv1-weight-explorer|tensorflow_inception)/)",
    re.IGNORECASE,
)
_STORED = re.compile(r"store/([0-9a-f]{2})/([0-9a-f]{62})\.(?:[0-9a-f]{16}(?:\.thumb)?\.webp|json)")
_VIEW = re.compile(r"\d-([a-z]+)\.\w+#|#view-(.+)$")
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
        self.atlas = atlas
        self.checkpoint = checkpoint and atlas.named(checkpoint).name
        self.of = cache(self._of)

    def _of(self, how: How, word: str, language: Language) -> Meaning:
        """What a word means that stands in a document in this way: None if it is no unit at all."""
        if how in ("bare", "link", "shown"):
            return self._of_address(word, how)
        if how == "bracketed" and is_address(word):  # to become a unit of this atlas, so it may be any atlas's
            meaning = self._of_address(word, how)
            return self.atlas[word] if meaning in (None, RIGHT) and word in self.atlas else meaning
        is_full = how == "ref" or not self.checkpoint or word.partition("/")[0] in self.atlas.checkpoints
        try:
            unit = self.atlas[word if is_full else f"{self.checkpoint}/{word}"]
        except NoUnitError as error:
            is_unit = how == "ref" or isinstance(error, NotRenderedError)
            return Stays(str(error)) if is_unit else self._unknown(word, str(error))
        if language == "latex" and word not in (str(unit), unit.quoted.name, unit.quoted.short):
            return Stays(f"atlas.sty cannot read “{legible(word)}”; write {unit if '/' in word else unit.quoted.name}")
        return unit

    def _unknown(self, word: str, why: str) -> Stays | None:
        """What is to be said of a name that the atlas cannot read."""
        if "|" in word:
            said = f"[[{word}]] has a text of its own; write [text](address) for a link"
            return Stays(note=said) if _LOOKS.fullmatch(word.partition("|")[0].strip()) else None
        looks = _LOOKS.fullmatch(split_view(word)[0])
        if looks["more"] if looks else base_layer(word.lower()) in LAYERS:
            return Stays(note=why)  # several units
        head, _, rest = word.partition("/")
        if looks and _LOOKS.fullmatch(split_view(rest)[0]):
            return self._foreign(word, head)
        return Stays(why) if looks else None

    def _of_address(self, address: str, how: How) -> Meaning:
        """What an address means. None if it is about no unit of this atlas, or of an old site that is linked."""
        try:
            there = urlsplit(address if "//" in address else f"//{address}")
            named = read_address(address)
        except ValueError:
            return None
        here = urlsplit(self.atlas.url)
        path, root = unquote(there.path), unquote(here.path)
        is_here = there.scheme.lower() in ("http", "https", "") and there.netloc.lower() == here.netloc.lower()
        if is_here and path.startswith(root):
            nowhere = f"{legible(address)} leads nowhere:"
            return self._of_own(nowhere, path.removeprefix(root), there.fragment, named)
        if named is None or how == "shown" or not _OLD.match(address):
            return None
        if named.checkpoint not in self.atlas.checkpoints:
            return self._foreign(address, named.checkpoint)
        if base_layer(named.layer) not in LAYERS:
            return Stays(note=f"{legible(address)} names no layer that an atlas has; it is left as it is")
        try:
            return self._named(named)
        except UsageError as error:
            return Stays(f"{legible(address)}: {error}")

    def _of_own(self, nowhere: str, path: str, fragment: str, named: ExternalUnit | None) -> Stays | None:
        """Whether an address of this atlas leads where it says."""
        if stored := _STORED.fullmatch(path):
            return self._of_store(nowhere, path, stored[1] + stored[2])
        if named is None:
            return None  # the atlas may be at the root of a host that has other pages too
        view = _VIEW.search(f"{path}#{fragment}")
        try:
            meant = self._named(named, view[1] or view[2] if view else "")
        except UsageError as error:
            return Stays(f"{nowhere} {error}")
        if isinstance(meant, PublishedUnit) and _PICTURE.fullmatch(fragment):
            now, *others = (addresses.picture_fragment(each.sha256) for each in (meant, *meant.views.values()))
            if fragment not in (now, *others):
                return Stays(f"the picture of {meant.unit} has changed since: #{fragment} is #{now} now")
        return RIGHT

    def _named(self, named: ExternalUnit, view: str = "") -> PublishedUnit | LayerReference:
        """What is here of a unit, a layer or a branch. Raises UsageError if nothing is."""
        if named.channels is not None:
            self.atlas.named(named.checkpoint)
            return self.atlas[f"{named.checkpoint}/{named} {view}".strip()]
        address = find(self.atlas, f"{named.checkpoint}/{named}")[0].address
        layer = address.split("/")[1]
        if not self.atlas.select(checkpoint=named.checkpoint, layer=layer):
            raise NoUnitError(f"no unit of {layer} of {named.checkpoint} is rendered in this atlas")
        return LayerReference(named.layer, self.atlas.url + address)

    def _of_store(self, nowhere: str, path: str, key: str) -> Stays:
        """Whether the store has a picture or a record, and whether it is what pages show now."""
        shows = self._by_key.get(key)
        if shows and (path.endswith(".json") or path in (shows.picture, shows.thumbnail)):
            return RIGHT
        if shows:
            now = shows.thumbnail if path.endswith(".thumb.webp") else shows.picture
            return Stays(f"the picture of {shows.unit} has changed since: {path} is {self.atlas.url}{now} now")
        record = addresses.stored_record_address(key)
        try:  # by another recipe, or of another view: kept for ever, and no page's first picture
            answer, _ = self.atlas.origin.answer(record)
            kept = path in (record, *(f"{addresses.STORE}/{file.name}" for file in answer.files)) and answer.key == key
        except AtlasError:
            kept = False
        return RIGHT if kept else Stays(f"{nowhere} the atlas keeps no such picture")

    def _foreign(self, said: str, checkpoint: str) -> Stays:
        return Stays(
            note=f"{legible(said)} names a unit of {legible(checkpoint)}, and this atlas has "
            f"{', '.join(self.atlas.checkpoints)}, where the same number is another unit; it is left as it is"
        )

    @cached_property
    def _by_key(self) -> dict[str, PublishedUnit]:
        """Whose pictures are kept under a key."""
        return {unit.key: unit for unit in self.atlas}
