"""InceptionV1 Atlas: every channel of a vision network, rendered by activation maximisation and browsable.

The rooms, in the direction the data flows: ``config`` (atlas.toml), ``render`` (pictures, with ``network``), ``store``
(answers on disk), ``publish`` (the static site) and ``figures`` (for papers). ``cli`` is the command ``atlas``, ``api``
what one types in a notebook. Only ``network``, ``render`` and what uses them need torch.
"""

__version__ = "0.1.0"
