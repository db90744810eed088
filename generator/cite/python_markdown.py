"""An extension of Python-Markdown: posts name units, and a blog's own build makes references of them.

>>> markdown.markdown("Like mixed4a:11.", extensions=[AtlasExtension(atlas="https://host/atlas/")])   # doctest: +SKIP
'<p>Like <a href="https://host/atlas/bvlc_googlenet/mixed4a/11.html">mixed4a:11</a>.</p>'

In MkDocs, Pelican and others it is the extension ``inception_atlas`` with the options ``atlas`` (an address or a
folder), ``to`` and ``checkpoint``. It reads the HTML that Python-Markdown and all other extensions have made, so what
is code or mathematics to them is never touched. Problems are logged as warnings, notes as information.
"""

import logging
from functools import cache
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor

from generator.cite.document import edit
from generator.cite.mentions import replaced
from generator.cite.resolver import Resolver
from generator.cite.writing import format_of
from generator.core.errors import UsageError
from generator.core.text import visible
from generator.reader.atlas import Atlas

log = logging.getLogger("inception_atlas.cite")
_BEFORE_ALL = 100  # before any other preprocessor, so that reports name lines as the author counts them
_AFTER_ALL = -100  # the page is as a browser gets it


class AtlasExtension(Extension):
    """The atlas is opened when the first document comes, and kept for all others, each of which may have its own
    Markdown()."""

    def __init__(self, **options: Any) -> None:
        self.config = {
            "atlas": ["", "A built atlas: its address or folder"],
            "to": ["link", "What a name becomes: link, chip, markdown or footnote"],
            "checkpoint": ["", "Which weights names without one mean; the first of the atlas by default"],
        }
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        source = _Source(md)
        md.preprocessors.register(source, "inception_atlas_source", _BEFORE_ALL)
        md.postprocessors.register(_References(md, source, **self.getConfigs()), "inception_atlas", _AFTER_ALL)


class _Source(Preprocessor):
    """Keeps the lines of a document, which its HTML does not know."""

    def run(self, lines: list[str]) -> list[str]:
        self.lines = lines
        return lines


class _References(Postprocessor):
    """Writes references into the HTML of a document."""

    def __init__(self, md: Markdown, source: _Source, atlas: str, to: str, checkpoint: str) -> None:
        super().__init__(md)
        if not atlas:
            raise UsageError("the extension inception_atlas needs an atlas; set its option atlas to https://host/path/")
        self.source, self.atlas, self.to, self.checkpoint = source, atlas, format_of(to), checkpoint or None

    def run(self, text: str) -> str:
        edited = edit(text, "html", Resolver(_open(self.atlas), self.checkpoint), self.to)
        for level, remarks in ((logging.WARNING, edited.problems), (logging.INFO, edited.notes)):
            for reference, what in remarks:
                lines = (n for n, line in enumerate(self.source.lines, 1) if reference.word in line.replace("\\_", "_"))
                log.log(level, "line %d: %s", next(lines, 1), visible(what))
        return replaced(text, edited.edits)


@cache
def _open(where: str) -> Atlas:
    return Atlas.open(where)
