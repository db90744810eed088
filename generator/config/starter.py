"""The commented atlas.toml that `atlas init` writes: every key with its default, to be edited rather than looked up.

The recipe's part is written from the recipe itself and cannot lag behind it.
"""

from __future__ import annotations

import json

from generator.core.recipe import SETTINGS

_HEAD = """\
# An atlas: which units of which checkpoints it shows, and by which recipe they are rendered.
# `atlas render` renders what is selected and missing, `atlas build` lays it out as pages in {output}/.
# A folder templates/ beside this file overrides single templates of the pages, a folder labels/ names units.

[atlas]
title = "InceptionV1 Atlas"
output = "{output}"
# url = "https://host/path/"     # where the site will be published: for links to copy, previews, `atlas cite`, sitemap

# One section for each checkpoint: inception5h (Google's InceptionV1, the network of the literature), bvlc_googlenet
# (Caffe's GoogLeNet) and untrained (random weights, the control) are known by name. Weights are downloaded once.
[checkpoints.inception5h]
units = ["mixed4a:0-9"]          # a layer, "mixed4a"; channels of it, "mixed4a:0-9,40"; a branch, "mixed4a_3x3"
# featured = ["mixed4a:6"]       # units that the home page shows first

# Weights of your own get a name of their own:
# [checkpoints.my_network]
# architecture = "inception5h"   # or "bvlc_googlenet"
# weights = "my_network.pth"     # .safetensors, .pth or .caffemodel, relative to this file
# about = "What it was trained on."
# units = ["mixed4a:0-9"]

# The page "How these pictures are made" shows one unit step by step and three ways, and one from four seeds:
# [lesson]
# unit = "mixed4a:0"
# seeds = "mixed4e:55"
# seeds_note = "What one sees in them."

# The recipe: all that changes the pixels. What is not set has the default written here.
[recipe]
"""

_TAIL = """
# What differs in one layer. Units of shallow layers look at few pixels: on a smaller canvas, seen by the network at
# that size, what they want is large enough to be looked at.
"""

_SHALLOW = (
    ("conv2d0", (("size", 64), ("input", 64), ("shift", 3), ("steps", 64))),
    ("conv2d1", (("size", 96), ("input", 96), ("shift", 4))),
    ("conv2d2", (("size", 112), ("input", 112), ("shift", 5))),
    ("mixed3a", (("size", 128), ("input", 128), ("shift", 6), ("step_size", 0.1))),
    ("mixed3b", (("size", 160), ("input", 160), ("shift", 7))),
)


def starter_config(output: str = "site") -> str:
    """The text of a new atlas.toml."""
    lines = [_HEAD.format(output=output)]
    for setting in SETTINGS:
        said = setting.metadata
        values = f" ({', '.join(said['of'])})" if said["of"] else ""
        values = f" ({said['low']:g} to {said['high']:g})" if said["low"] is not None else values
        lines.append(f"# {setting.name + ' = ' + json.dumps(setting.default):<32} # {said['help']}{values}\n")
    lines.append(_TAIL)
    for layer, settings in _SHALLOW:
        lines.append(f"\n[recipe.{layer}]\n" + "".join(f"{key} = {value}\n" for key, value in settings))
    return "".join(lines)
