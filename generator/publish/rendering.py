"""From pages to text, by Jinja templates. Nothing is written here.

A file in the ``templates`` folder beside atlas.toml replaces the template of this package of the same name. To change
one block of the original, extend it under the name ``atlas/``: ``{% extends "atlas/unit.html" %}``. Where there is such
a folder, all templates run in Jinja's sandbox: whoever hands over a theme hands over pages, and no program.
"""

from collections.abc import Iterable
from html import escape as escape_html
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from generator.config.labels import LabelSource, sources_of
from generator.core.errors import AtlasError
from generator.core.package import package_folder
from generator.core.record import printed
from generator.core.spectrum import like_photographs
from generator.links import addresses
from generator.publish.assets import charts
from generator.publish.catalog import AtlasUnit
from generator.publish.content.lesson import PresetShown
from generator.publish.page import Page, frame, own_variables
from generator.publish.site import Site
from generator.publish.urls import Urls


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which objects that could write files (paths, arrays) have no attributes either."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        is_known = type(obj).__module__.partition(".")[0] in ("builtins", "generator", "jinja2", "markupsafe")
        return is_known and super().is_safe_attribute(obj, attr, value)


def environment(own_templates: Path) -> jinja2.Environment:
    """The templates, those of the user first."""
    folder = package_folder("templates")
    own, ours = jinja2.FileSystemLoader(own_templates, "utf-8-sig"), jinja2.FileSystemLoader(folder)
    is_foreign = own_templates.is_dir() and not own_templates.samefile(folder)  # ours need no sandbox, which costs time
    env = (_Sandbox if is_foreign else jinja2.Environment)(
        loader=jinja2.ChoiceLoader([own, ours, jinja2.PrefixLoader({"atlas": ours})]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    env.globals.update(
        activation_curve=charts.activation_curve,
        excitation=charts.excitation,
        network=charts.network,
        receptive_field=charts.receptive_field,
        source=source,
        spectra=spectra,
        thumbnail=thumbnail,
    )
    env.filters.update(zip=zip, sources=sources, fragment=addresses.picture_fragment)
    env.filters.update(compact=lambda said: jinja2.utils.htmlsafe_json_dumps(said, separators=(",", ":")))
    env.filters.update(text=lambda words: Markup(escape_html(words, quote=False)))  # noqa: S704 - not for attributes
    env.filters.update(number=printed, thousands=lambda n: f"{n:,}", percent=percent, runs=runs)
    env.filters.update(activations=activations, at=at)
    return env


def render(env: jinja2.Environment, site: Site, page: Page) -> str:
    """A page as text. Raises AtlasError naming file and line of a template that asks for what is not there."""
    context = page.make()
    try:
        return env.get_template(context.template).render(frame(site, page) | own_variables(context))
    except jinja2.TemplateSyntaxError as error:
        raise AtlasError(f"{error.filename}:{error.lineno}: {error.message}") from error
    except Exception as error:  # a template is a user's code, and may fail in any way
        raise AtlasError(f"the template {context.template} cannot be rendered: {error}") from error


def percent(share: float) -> str:
    """A share for people. What would be rounded to all or nothing says that it is not.

    >>> percent(0.9876), percent(0.99999), percent(1e-6)
    ('98.8 %', 'more than 99.9 %', 'less than 0.1 %')
    """
    if 0.001 <= share <= 0.999:
        return f"{share * 100:.1f} %"
    return "more than 99.9 %" if share > 0.5 else "less than 0.1 %"


def activations(units: tuple[AtlasUnit, ...]) -> str:
    """The activations of the rendered units, in order: a layer page can be sorted by them."""
    return " ".join(f"{unit.record.provenance.activation:.4g}" for unit in units if unit.record)


def at(units: tuple[AtlasUnit, ...], numbers: tuple[float, ...]) -> str:
    """The numbers of the rendered units, of those of a whole layer."""
    return " ".join(f"{numbers[unit.unit.channel]:g}" for unit in units if unit.record)


def source(given: LabelSource, href: str) -> Markup:
    """A source as pages name it: its title, linked if it has an address, and its licence."""
    title = (
        Markup('<a href="{}"><bdi>{}</bdi></a>').format(href, given.title)
        if href
        else Markup("<bdi>{}</bdi>").format(given.title)
    )
    return title + (f" ({given.license})" if given.license else "")


def thumbnail(url: Urls, checkpoint: str, unit: AtlasUnit) -> Markup:
    """The small picture of a rendered unit, within a link whose words name the unit, in a list of units: a page has
    dozens of them, so their size is in the style sheet."""
    return Markup(f"<img src={escape(url.thumbnail(checkpoint, unit.unit))} alt loading=lazy>")  # noqa: S704


def sources(units: Iterable[AtlasUnit]) -> tuple[LabelSource, ...]:
    """Where the names of these units come from, each source once."""
    return sources_of(label for unit in units for label in unit.labels)


def spectra(presets: tuple[PresetShown, ...]) -> list[Markup]:
    """The spectra of several pictures on one scale, each with a line that falls as that of a photograph."""
    low, high = min(p.power.min() for p in presets) / 2, max(p.power.max() for p in presets) * 2
    return [
        charts.spectrum(p.name, p.power.tolist(), like_photographs(p.power).tolist(), float(low), float(high))
        for p in presets
    ]


def runs(units: tuple[AtlasUnit, ...]) -> list[tuple[AtlasUnit, AtlasUnit | None]]:
    """Units as a layer page shows them: each rendered one alone, and runs of others as their first and last."""
    laid: list[tuple[AtlasUnit, AtlasUnit | None]] = []
    for unit in units:
        if unit.record:
            laid.append((unit, None))
        elif laid and laid[-1][1]:
            laid[-1] = (laid[-1][0], unit)
        else:
            laid.append((unit, unit))
    return laid
