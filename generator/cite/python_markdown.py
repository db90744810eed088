"""An extension of Python-Markdown: posts name units, and a blog's own build makes references of them.

>>> markdown.markdown("Like mixed4a:11.", extensions=[AtlasExtension(atlas="https://host/atlas/")])   # doctest: +SKIP
'<p>Like <a href="https://host/atlas/bvlc_googlenet/mixed4a/11.html">mixed4a:11</a>.</p>'

In MkDocs, Pelican and others it is the extension ``inception_atlas`` with the options ``atlas`` (an address or a
folder), ``to`` and ``checkpoint``. The text is what `atlas cite` would write; what that would report is logged as
warnings and, of weights that the atlas does not have, as information. ``to="footnote"`` needs Python-Markdown's own
extension ``footnotes`` too.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from generator.cite.document import cite
from generator.cite.forms import To, form_of
from generator.cite.in_markdown import lay_out
from generator.core.errors import UsageError
from generator.reader.atlas import Atlas

log = logging.getLogger("inception_atlas.cite")
_BEFORE_CODE = 26  # which is taken away at 25; the extension `meta` has had its lines at 27
_BEFORE_ALL_BUT_NEWLINES = 29  # those are normalised at 30


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
        where = self.getConfig("atlas")
        if not where:
            raise UsageError("the extension inception_atlas needs an atlas; set its option atlas to https://host/path/")
        counted = Counted()
        references = References(counted, where, form_of(self.getConfig("to")), self.getConfig("checkpoint") or None)
        md.preprocessors.register(counted, "inception_atlas_lines", _BEFORE_ALL_BUT_NEWLINES)
        md.preprocessors.register(references, "inception_atlas", _BEFORE_CODE)


class Counted(Preprocessor):
    """Knows how many lines a document had when it came, so that reports name them as its author counts."""

    lines = 0

    def run(self, lines: list[str]) -> list[str]:
        self.lines = len(lines)
        return lines


class References(Preprocessor):
    def __init__(self, counted: Counted, where: str, to: To, checkpoint: str | None) -> None:
        super().__init__()
        self.counted, self.where, self.to, self.checkpoint = counted, where, to, checkpoint

    def run(self, lines: list[str]) -> list[str]:
        text = "\n".join(lines)
        layout = lay_out(text, whole_elements=True)
        cited = cite(text, "markdown", _open(self.where), to=self.to, checkpoint=self.checkpoint, layout=layout)
        above = self.counted.lines - len(lines)
        for problem in cited.problems:
            log.warning("line %d: %s", above + problem.line, problem.text)
        for note in cited.notes:
            log.info("line %d: %s", above + note.line, note.text)
        return cited.text.split("\n")


@cache
def _open(where: str) -> Atlas:
    return Atlas.open(where)


def makeExtension(**options: Any) -> AtlasExtension:  # noqa: N802
    """What Python-Markdown calls."""
    return AtlasExtension(**options)
