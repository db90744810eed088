"""InceptionV1 Atlas: every channel of a vision network, rendered by activation maximisation and browsable.

The rooms, in the direction of the data: ``config`` (atlas.toml), ``render`` (pictures, with ``network``), ``study``
(analyses), ``store`` (answers on disk), ``publish`` (the static site) and ``figures`` (for papers). ``reader`` reads a
published atlas, ``cite`` quotes it. ``cli`` is the command ``atlas``, ``api`` is for notebooks. Only ``network``,
``render`` and what uses them need torch. CONTRIBUTING.md has all rooms.

>>> from generator import Atlas                                       # doctest: +SKIP
>>> Atlas.open("https://host/atlas/")["mixed4a:11"].image()           # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generator.reader.atlas import Atlas

__all__ = ["Atlas", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """``Atlas``, imported when it is asked for: the command line starts without it."""
    if name == "Atlas":
        from generator.reader.atlas import Atlas

        return Atlas
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
