"""The forms in which a unit's page offers it to be quoted, each a text to copy.

>>> [quote.name for quote in quotes(unit, record, checkpoint, config)]        # doctest: +SKIP
['Link', 'Markdown', 'HTML chip', 'Frame', 'LaTeX', 'BibTeX', 'Citation']
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from generator.config.atlas_toml import Config
from generator.core.record import Record
from generator.links.quoting import FRAME, Citation, UnitReference
from generator.publish.catalog import AtlasUnit
from generator.publish.content.provenance import render_command


@dataclass(frozen=True, slots=True)
class Quote:
    """One form: what it is called, and the text."""

    name: str
    text: str


def view_quotes(unit: AtlasUnit, checkpoint: str, config: Config) -> tuple[Quote, ...]:
    """The forms for the pictures by other views: those that lead to one picture of several on a page."""
    found = []
    for view in unit.views:
        record = view.record
        quoted = UnitReference(config.url, checkpoint, unit.unit, "", record.picture.sha256, view.name)
        cited = Citation(config.title, record.question.fingerprint, record.key, record.provenance.date[:10])
        found += [
            Quote(f"Link, {view.name}", quoted.page),
            Quote(f"Markdown, {view.name}", quoted.markdown_picture),
            Quote(f"Citation, {view.name}", cited.plain(quoted)),
            Quote(f"Make it again, {view.name}", render_command(record, checkpoint, config)),
        ]
    return tuple(found)


def quotes(unit: AtlasUnit, record: Record, checkpoint: str, config: Config) -> tuple[Quote, ...]:
    """Every form. Where atlas.toml gives no published address, addresses in them are relative to the atlas, and there
    is no LaTeX: that needs a JPEG, which only a published atlas has."""
    label = unit.labels[0].name if unit.labels else ""
    quoted = UnitReference(config.url, checkpoint, unit.unit, label, record.picture.sha256)
    cited = Citation(config.title, record.question.fingerprint, record.key, record.provenance.date[:10])
    latex = (Quote("LaTeX", quoted.latex_picture),) if config.url else ()
    return (
        Quote("Link", quoted.page),
        Quote("Markdown", quoted.markdown_picture),
        Quote("HTML chip", quoted.chip),
        Quote("Frame", quoted.iframe),
        *latex,
        Quote("BibTeX", cited.bibtex(quoted)),
        Quote("Citation", cited.plain(quoted)),
        *view_quotes(unit, checkpoint, config),
    )


def oembed(record: Record, checkpoint: str, config: Config) -> bytes:
    """What a program that embeds links is told of a unit: oEmbed 1.0, https://oembed.com."""
    quoted = UnitReference(config.url, checkpoint, record.question.unit)
    wide, high = FRAME
    said = {
        "version": "1.0", "type": "rich", "title": quoted.full, "provider_name": config.title,
        "provider_url": config.url, "html": quoted.iframe, "width": wide, "height": high,
        "thumbnail_url": quoted.thumbnail, "thumbnail_width": record.thumbnail.width,
        "thumbnail_height": record.thumbnail.height,
    }  # fmt: skip
    return msgspec.json.encode(said) + b"\n"
