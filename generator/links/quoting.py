"""A unit as other people's documents quote it: link, picture, chip, frame, citation.

>>> from generator.core.units import Unit
>>> quoted = UnitReference("https://host/atlas/", "bvlc_googlenet", Unit("mixed4a", 11))
>>> quoted.markdown_link
'[mixed4a:11](https://host/atlas/bvlc_googlenet/mixed4a/11.html)'
>>> quoted.short
'4a:11'

Everything is built from addresses that stay, and escaped for the language that it is written in.
"""

import html
import re
from dataclasses import dataclass

from generator.core.units import Unit
from generator.links import addresses

CHIP = 21  # side of a chip's thumbnail in pixels, as Distill's articles have it
_ACTIVE = re.compile(r"[\[\]|`\\{}$*]")
FRAME = (240, 304)  # width and height of a frame around the embed page, in pixels


@dataclass(frozen=True, slots=True)
class UnitReference:
    """One unit and its address. ``base`` is the address of the atlas, with a slash at its end; with "" addresses are
    relative to its root. ``label`` is the name that people gave the unit, or "". ``picture`` is the sha256 of the
    picture that is quoted. If it is given, links lead to this picture on the unit's page. So it is found, and a change
    is noticed, after the unit has been rendered again. ``view`` is given for a picture by another view than the one
    that the page shows first."""

    base: str
    checkpoint: str
    unit: Unit
    label: str = ""
    picture: str = ""
    view: str = ""

    @property
    def page(self) -> str:
        """The unit's page, and there the view."""
        return self._page + (f"#{addresses.view_fragment(self.view)}" if self.view else "")

    @property
    def _page(self) -> str:
        return self.base + addresses.unit_address(self.checkpoint, self.unit)

    @property
    def exact(self) -> str:
        """The address of the picture on the unit's page; of the page, if no picture is given."""
        return f"{self._page}#{addresses.picture_fragment(self.picture)}" if self.picture else self.page

    @property
    def thumbnail(self) -> str:
        """The address of the thumbnail."""
        return self.base + addresses.thumbnail_address(self.checkpoint, self.unit, self.view)

    @property
    def card(self) -> str:
        """The unit's picture as JPEG, which every program can show."""
        return addresses.card_address(self._page, self.view)

    @property
    def embed(self) -> str:
        """The address of the small page for a frame."""
        return self.base + addresses.embed_address(self.checkpoint, self.unit, self.view)

    @property
    def name(self) -> str:
        """``mixed4a:11``, and behind it the view."""
        return f"{self.unit}{self.view and f' {self.view}'}"

    @property
    def short(self) -> str:
        """``4a:11``, as the literature writes it."""
        return self.name.removeprefix("mixed")

    @property
    def full(self) -> str:
        """The name with view and checkpoint, which says it all."""
        return f"{self.unit}{self.view and f', view {self.view},'} of {self.checkpoint}"

    @property
    def markdown_link(self) -> str:
        """The short name, linked."""
        return f"[{self.name}]({self.page})"

    @property
    def markdown_picture(self) -> str:
        """The thumbnail, linked."""
        return f"[![{_markdown(self.full)}]({self.thumbnail})]({self.exact})"

    @property
    def html_link(self) -> str:
        """The short name, linked."""
        return f'<a href="{html.escape(self.page)}">{html.escape(self.name)}</a>'

    @property
    def html_picture(self) -> str:
        """The thumbnail, linked."""
        page, thumbnail, alt = map(html.escape, (self.exact, self.thumbnail, self.full))
        return f'<a href="{page}"><img src="{thumbnail}" alt="{alt}"></a>'

    @property
    def chip(self) -> str:
        """HTML: a small thumbnail and the short name, in a line of text."""
        page, thumbnail, short, title = (*map(html.escape, (self.exact, self.thumbnail, self.short)), inert(self.title))
        image = f'<img src="{thumbnail}" width="{CHIP}" height="{CHIP}" alt="" style="vertical-align: middle">'
        return f'<a class="atlas-chip" href="{page}" title="{title}">{image} {short}</a>'

    @property
    def iframe(self) -> str:
        """HTML: the small page in a frame, which is loaded when it comes into view."""
        page, title = html.escape(self.embed), html.escape(self.full)
        wide, high = FRAME
        return (
            f'<iframe src="{page}" title="{title}" width="{wide}" height="{high}" loading="lazy" '
            f'style="border: 0"></iframe>'
        )

    @property
    def title(self) -> str:
        """The text that is shown when a reader points at a chip."""
        return f"{self.full}: {self.label}" if self.label else self.full

    @property
    def file(self) -> str:
        """A file name for a copy of the unit's picture."""
        return f"{self.checkpoint}-{self.unit.layer}-{self.unit.channel}{self.view and f'-{self.view}'}.jpg"

    @property
    def key(self) -> str:
        """A name for the unit in notes and references: ``bvlc_googlenet-mixed4a-11``."""
        return self.file.removesuffix(".jpg")

    @property
    def latex_picture(self) -> str:
        r"""\includegraphics reads files, not addresses: the line above it says where this one comes from."""
        picture = rf"\includegraphics[width=3cm]{{{self.file}}}"
        return f"% curl -o {self.file} {self.card}\n\\href{{{latex_address(self.exact)}}}{{{picture}}}"


@dataclass(frozen=True, slots=True)
class Citation:
    """A reference to a unit, with its text. ``date`` is the day its picture was rendered."""

    atlas: str
    fingerprint: str
    key: str
    date: str

    @property
    def made(self) -> str:
        """Which weights, and when; an atlas may not know all of it."""
        weights = self.fingerprint and f"weights {self.fingerprint[:12]}"
        return ", ".join(filter(None, (weights, self.date and f"rendered {self.date}"))) or "of unknown weights"

    def title(self, quoted: UnitReference) -> str:
        """The atlas and the unit."""
        return f"{self.atlas}, {quoted.full}"

    def plain(self, quoted: UnitReference) -> str:
        """A reference as plain text."""
        return f"{self.title(quoted)} ({self.made}). {quoted.exact}"

    def markdown_note(self, quoted: UnitReference) -> str:
        """A reference for a footnote in Markdown."""
        return f"[{inert(self.title(quoted))}]({quoted.exact}) ({inert(self.made)})"

    def markdown_link(self, quoted: UnitReference) -> str:
        """The unit, linked; the reference is the link's title."""
        return f'[{quoted.name}]({quoted.page} "{inert(self.plain(quoted))}")'

    def html_note(self, quoted: UnitReference) -> str:
        """A reference for a footnote in HTML."""
        return f'<a href="{html.escape(quoted.exact)}">{inert(self.title(quoted))}</a> ({inert(self.made)})'

    def bibtex(self, quoted: UnitReference) -> str:
        """A ``@misc`` entry, with checkpoint, fingerprint and date in its note."""
        note = f"Checkpoint {quoted.checkpoint}, fingerprint {self.fingerprint}, rendered {self.date}"
        return (
            f"@misc{{{quoted.key},\n"
            f"  title        = {{{latex(quoted.full)}}},\n"
            f"  howpublished = {{{latex(self.atlas)}, \\url{{{quoted.exact}}}}},\n"
            f"  year         = {{{latex(self.date[:4])}}},\n"
            f"  note         = {{{latex(f'{note}, picture {self.key}')}}},\n"
            f"}}"
        )


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def latex(text: str) -> str:
    r"""Text as LaTeX reads it.

    >>> latex("bvlc_googlenet")
    'bvlc\\_googlenet'
    """
    return "".join(_LATEX.get(character, character) for character in text)


def latex_address(url: str) -> str:
    r"""An address as an argument of \href."""
    return url.replace("%", r"\%").replace("#", r"\#")


def inert(text: str) -> str:
    """Text for HTML. Characters of Markdown, of tables and of templates, which are read before HTML, are escaped too.

    >>> inert("<b> {{x}}")
    '&lt;b&gt; &#123;&#123;x&#125;&#125;'
    """
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", html.escape(text))


def _markdown(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\[]*`<>" else c for c in text)
