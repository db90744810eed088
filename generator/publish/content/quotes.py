"""The forms in which a unit's page offers it to be quoted, each a text to copy."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from generator.config.config import Config
from generator.core.record import Record
from generator.links.quoting import FRAME, Citation, UnitReference
from generator.publish.catalog import AtlasUnit
from generator.publish.content.provenance import render_command


@dataclass(frozen=True, slots=True)
class Quote:
    """One form: what it is called, and the text."""

    name: str
    text: str


def quotes(unit: AtlasUnit, record: Record, checkpoint: str, config: Config) -> tuple[Quote, ...]:
    """Every form, of the picture that the page shows first and of those by other views. Where atlas.toml gives no
    published address, addresses in them are relative to the atlas, and there is no LaTeX: that needs a JPEG, which only
    a published atlas has."""
    found = list(_forms(unit, record, "", checkpoint, config))
    for view in unit.views:
        found += [
            Quote(f"{form.name}, {view.name}", form.text)
            for form in _forms(unit, view.record, view.name, checkpoint, config)
        ]
        found.append(Quote(f"Make it again, {view.name}", render_command(view.record, checkpoint, config)))
    return tuple(found)


def _forms(unit: AtlasUnit, record: Record, view: str, checkpoint: str, config: Config) -> Iterator[Quote]:
    label = unit.labels[0].name if unit.labels else ""
    quoted = UnitReference(config.url, checkpoint, unit.unit, label, record.picture.sha256, view)
    cited = Citation(config.title, record.question.fingerprint, record.key, record.provenance.date[:10])
    yield Quote("Link", quoted.page)
    yield Quote("Markdown", quoted.markdown_picture)
    yield Quote("HTML chip", quoted.chip)
    yield Quote("Frame", quoted.iframe)
    if config.url:
        yield Quote("LaTeX", quoted.latex_picture)
    yield Quote("BibTeX", cited.bibtex(quoted))
    yield Quote("Citation", cited.plain(quoted))


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
