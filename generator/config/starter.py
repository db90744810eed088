"""The commented atlas.toml that `atlas init` writes: every key with its default.

The part of the recipe is generated from the recipe itself, so it is always up to date.
"""

import json

from generator.core.recipe import SETTINGS

_HEAD = """\
# An atlas: which units of which checkpoints it shows, and by which recipe their pictures are made.
# `atlas render` renders the units that are selected and missing. `atlas build` writes the pages into site/.
# A folder templates/ beside this file replaces single templates of the pages. A folder labels/ names units.

[atlas]
title = "InceptionV1 Atlas"
output = "site"
# url = "https://host/path/"     # where the site will be published. Needed for links to copy, previews, `atlas cite`

# One section for each checkpoint. Three are known by name: inception5h (Google's InceptionV1, the network of the
# literature), bvlc_googlenet (Caffe's GoogLeNet) and untrained (random weights, as a control). Weights are downloaded
# once.
[checkpoints.inception5h]
units = ["mixed4a:0-9"]          # a layer, "mixed4a"; channels of it, "mixed4a:0-9,40"; a branch, "mixed4a_3x3"
# featured = ["mixed4a:6"]       # units that the home page shows first
# views = ["channel", "neuron"]  # by which views they are rendered

# Weights of your own get a name of their own:
# [checkpoints.my_network]
# architecture = "inception5h"   # or "bvlc_googlenet"
# weights = "my_network.pth"     # .safetensors, .pth or .caffemodel, relative to this file
# about = "What it was trained on."
# units = ["mixed4a:0-9"]

# The page "How these pictures are made" shows one unit step by step and by three presets, and one from four seeds:
# [lesson]
# unit = "mixed4a:0"
# seeds = "mixed4e:55"
# seeds_note = "What the four pictures show."

# The recipe: every setting that changes the pixels. A setting that is commented out has the default written here.
[recipe]
"""

_TAIL = """
# Settings of single layers. A unit of a shallow layer sees only a few pixels. So the canvas is smaller there, and the
# network sees it at that size: then the pattern is large enough to look at. A class of the classifier, "output:207",
# needs more steps and larger movements.
"""

_OF_LAYERS = (
    ("conv2d0", (("size", 64), ("input", 64), ("shift", 3), ("steps", 64))),
    ("conv2d1", (("size", 96), ("input", 96), ("shift", 4))),
    ("conv2d2", (("size", 112), ("input", 112), ("shift", 5))),
    ("mixed3a", (("size", 128), ("input", 128), ("shift", 6), ("step_size", 0.1))),
    ("mixed3b", (("size", 160), ("input", 160), ("shift", 7))),
    ("output", (("steps", 512), ("step_size", 0.03), ("decay", 1.4), ("rotate", 15), ("scale", 0.3), ("shift", 32))),
)


def starter_config() -> str:
    """The text of a new atlas.toml."""
    lines = [_HEAD]
    for setting in SETTINGS:
        said = setting.metadata
        values = f" ({', '.join(said['of'])})" if said["of"] else ""
        values = f" ({said['low']:g} to {said['high']:g})" if said["low"] is not None else values
        lines.append(f"# {setting.name + ' = ' + json.dumps(setting.default):<32} # {said['help']}{values}\n")
    lines.append(_TAIL)
    for layer, settings in _OF_LAYERS:
        lines.append(f"\n[recipe.{layer}]\n" + "".join(f"{key} = {value}\n" for key, value in settings))
    return "".join(lines)
