"""Every link of the site, made in one place.

Published addresses stay, so no page writes one by hand: pages ask a :class:`Urls`, which knows the folder of the page.
Links are relative, so the site works from a disk, at the root of a host and under any path:

>>> url = Urls("bvlc_googlenet/mixed4a")
>>> url.unit("bvlc_googlenet", Unit("mixed4a", 12))
'12.html'
>>> url.layer("bvlc_googlenet", "mixed4b", "3x3")
'../mixed4b/index.html#3x3'
>>> url.static("atlas.css")
'../../static/atlas.css'

Where the published address is known (``url`` in atlas.toml) :meth:`Urls.absolute` gives the whole of it, for the places
that need one: canonical links, Open Graph, the sitemap, and the page a host serves when nothing is found.
"""

from dataclasses import dataclass

from generator.core.record import Picture
from generator.core.units import Unit
from generator.links import addresses


@dataclass(frozen=True, slots=True)
class Urls:
    """Links as they are written in the pages of one folder.

    ``base`` is the published address of the site, or "". With ``anywhere`` the links hold wherever the page is served
    from, as far as that is possible: they are whole addresses if ``base`` is known.
    """

    folder: str = ""
    base: str = ""
    anywhere: bool = False

    def to(self, address: str, fragment: str = "") -> str:
        """The link from this folder to an address of the site."""
        hash_ = f"#{fragment}" if fragment else ""
        if self.anywhere and self.base:
            return self.absolute(address) + hash_
        here = self.folder.split("/") if self.folder else []
        there = address.split("/")
        shared = 0
        while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
            shared += 1
        return "../" * (len(here) - shared) + "/".join(there[shared:]) + hash_

    def absolute(self, address: str) -> str:
        """The published address, or "" if atlas.toml does not give the site's."""
        return self.base and self.base + ("" if address == addresses.HOME else address)

    def whole(self, address: str) -> str:
        """The published address if it is known, else the link from this folder."""
        return self.absolute(address) or self.to(address)

    def home(self, fragment: str = "") -> str:
        return self.to(addresses.HOME, fragment)

    def about(self, fragment: str = "") -> str:
        return self.to(addresses.ABOUT, fragment)

    def how(self, fragment: str = "") -> str:
        return self.to(addresses.HOW, fragment)

    def find(self, fragment: str = "") -> str:
        return self.to(addresses.FIND, fragment)

    def checkpoint(self, checkpoint: str) -> str:
        return self.to(addresses.checkpoint_address(checkpoint))

    def layer(self, checkpoint: str, layer: str, fragment: str = "") -> str:
        return self.to(addresses.layer_address(checkpoint, layer), fragment)

    def map(self, checkpoint: str, layer: str) -> str:
        """The map of a layer."""
        return self.to(addresses.map_address(checkpoint, layer))

    def unit(self, checkpoint: str, unit: Unit, view: str = "") -> str:
        """A unit's page, or the place of a view on it."""
        return self.to(addresses.unit_address(checkpoint, unit), view and addresses.view_fragment(view))

    def view(self, checkpoint: str, layer: str, view: str) -> str:
        """The units of a layer that have a picture by another view."""
        return self.to(addresses.view_address(checkpoint, layer, view))

    def record(self, checkpoint: str, unit: Unit, view: str = "") -> str:
        """The record beside a unit's page."""
        return self.to(addresses.record_address(checkpoint, unit, view))

    def thumbnail(self, checkpoint: str, unit: Unit, view: str = "") -> str:
        """The thumbnail beside a unit's page."""
        return self.to(addresses.thumbnail_address(checkpoint, unit, view))

    def embed(self, checkpoint: str, unit: Unit) -> str:
        """The small page of a unit, for frames."""
        return self.to(addresses.embed_address(checkpoint, unit))

    def families(self, checkpoint: str) -> str:
        return self.to(addresses.families_address(checkpoint))

    def family(self, checkpoint: str, family: str, fragment: str = "") -> str:
        return self.to(addresses.family_address(checkpoint, family), fragment)

    def stored_record(self, key: str) -> str:
        """The record in the store, by its key."""
        return self.to(addresses.stored_record_address(key))

    def picture(self, picture: Picture) -> str:
        """The picture in the store."""
        return self.to(addresses.picture_address(picture))

    def static(self, name: str) -> str:
        """A style sheet or a script."""
        return self.to(f"{addresses.STATIC}/{name}")
