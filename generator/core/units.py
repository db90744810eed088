"""Units and the many ways people write them.

A unit is one channel of one layer. It is written ``mixed4a:11``, and read from every spelling in use:

>>> from generator.checkpoints.bvlc_googlenet import ARCHITECTURE as net
>>> [str(u) for u in parse_units("mixed4a:9-11,40", net)]
['mixed4a:9', 'mixed4a:10', 'mixed4a:11', 'mixed4a:40']
>>> {str(parse_unit(text, net)) for text in ("mixed4a_197", "4a:197", "mixed4a/197", "mixed4a 3x3 5")}
{'mixed4a:197'}
>>> str(parse_unit("inception_4a/output 197", net))  # as Caffe calls it
'mixed4a:197'

A channel of a branch is the same unit as a channel of the layer that the branch is part of, and is read as that one.
A bottleneck is a layer of its own, and so is a set of directions (:mod:`generator.core.directions`). Sums and
differences of channels are units too:

>>> [str(u) for word in ("4a:5+4a:11", "mixed4a@5_plus_11") for u in parse_units(word, net)]
['mixed4a@5_plus_11:0', 'mixed4a@5_plus_11:0']

Addresses (:mod:`generator.core.external_urls`) also name a checkpoint. For any other checkpoint they are refused,
because unit numbers belong to one checkpoint only.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from generator.core.architecture import OUTPUT, Architecture
from generator.core.directions import AT, base_layer, sum_name
from generator.core.errors import UsageError, did_you_mean
from generator.core.external_urls import is_address, read_address

_CHANNELS = re.compile(r"\d{1,6}(-\d{1,6})?(,\d{1,6}(-\d{1,6})?)*", re.ASCII)
_AFTER_A_LAYER = ":/_ "
_SIGN = re.compile(r"(?<=\d)\s*([+-])\s*(?=[a-z]|\d[a-z])", re.ASCII | re.IGNORECASE)  # between the units of a sum
_VIEW = re.compile(r"(.*\d)\s+([a-z]+)", re.ASCII | re.IGNORECASE | re.DOTALL)
_SPELLINGS = (  # of other tools, and with spaces, each as we write it; static/find.js has the same
    (re.compile(r"^import/"), ""),  # Lucid's scope
    (re.compile(r"^(?:softmax2(?:_pre_activation)?|output2|loss3[/_]classifier|fc)(?:[/_]matmul)?(?!\w)"), OUTPUT),
    (re.compile(r"^conv1(?:[._]conv)?(?=[: ]|$)"), "conv2d0"),  # these and branches are torchvision's
    (re.compile(r"^conv2(?:[._]conv)?(?=[: ]|$)"), "conv2d1"),
    (re.compile(r"^conv3(?:[._]conv)?(?=[: ]|$)"), "conv2d2"),
    (re.compile(r"[._]branch1(?:[._]conv)?(?!\w)"), "_1x1"),
    (re.compile(r"[._]branch2[._]"), "_3x3_part"),
    (re.compile(r"[._]branch3[._]"), "_5x5_part"),
    (re.compile(r"_part0(?:[._]conv)?(?!\w)"), "_bottleneck"),
    (re.compile(r"_part1(?:[._]conv)?(?!\w)"), ""),
    (re.compile(r"[._]branch4[._]1(?:[._]conv)?(?!\w)"), "_pool_reduce"),
    (re.compile(r"^inception_?(?=\d)"), "mixed"),
    (re.compile(r"^((?:mixed)?\d[a-z])[/_ ]output"), r"\1"),
    (re.compile(r"^((?:mixed)?\d[a-z])[:/_ ]+(1x1|3x3|5x5|pool)"), r"\1_\2"),
    (re.compile(r"_([35]x[35])[_ ](?:reduce|bottleneck)"), r"_\1_bottleneck"),
    (re.compile(r"_pool[_ ](?:proj|reduce)"), "_pool_reduce"),
    (re.compile(r"_pre_relu(?:[/_]conv)?(?![a-z0-9])"), ""),  # nodes of TensorFlow's graph, and Lucent's modules
)


@dataclass(frozen=True, order=True, slots=True)
class Unit:
    """One channel of one layer; ``str(unit)`` is its name, ``mixed4a:11``."""

    layer: str
    channel: int

    def __str__(self) -> str:
        return f"{self.layer}:{self.channel}"

    @property
    def is_direction(self) -> bool:
        """Whether it is a vector over channels, and no channel."""
        return AT in self.layer


def split_view(text: str) -> tuple[str, str]:
    """The name of a unit, and the view that stands behind it, or "".

    >>> split_view("4a:11 neuron"), split_view("mixed4a 3x3 8")
    (('4a:11', 'neuron'), ('mixed4a 3x3 8', ''))
    """
    found = _VIEW.fullmatch(text.strip())
    return (found[1], found[2].lower()) if found else (text, "")


def parse_units(text: str, net: Architecture, checkpoint: str | None = None) -> tuple[Unit, ...]:
    """The units that one word names, in the order it names them.

    ``checkpoint`` is the one in use (default: the architecture's own); an address that names another is refused.
    Raises UsageError, naming the nearest thing that exists.
    """
    word = text.strip()
    if is_address(word):
        word = _from_address(word, checkpoint or net.name)
    first, *more = _SIGN.split(word)
    if more:
        return (_sum(first, more, net, checkpoint),)
    net = net.including([re.split("[:/ ]", f"mixed{word}" if word[:1].isdigit() else word)[0]])
    layer, channels = _split(word, net)
    count = net.layers[layer].channels
    numbers = range(count) if channels is None else _numbers(channels, count, layer, text)
    parent, _, part = layer.partition("_")
    if net.layers[layer].kind == "branch":
        first = next(b.first for b in net.layers[parent].branches if b.name == part)
        return tuple(Unit(parent, first + n) for n in numbers)
    return tuple(Unit(layer, n) for n in numbers)


def parse_unit(text: str, net: Architecture, checkpoint: str | None = None) -> Unit:
    """The one unit that a word names. Raises UsageError if it names none or several."""
    units = parse_units(text, net, checkpoint)
    if len(units) != 1:
        raise UsageError(f"“{text}” names {len(units)} units where one is wanted; add a channel, as in {units[0]}")
    return units[0]


def select_units(words: Iterable[str], net: Architecture, checkpoint: str | None = None) -> tuple[Unit, ...]:
    """The units that several words name: each once, in the order of the network and then of channels."""
    return in_order((unit for word in words for unit in parse_units(word, net, checkpoint)), net)


def in_order(units: Iterable[Unit], net: Architecture) -> tuple[Unit, ...]:
    """Units, each once, in the order of the network and then of channels."""
    depth = {name: i for i, name in enumerate(net.layers)}
    return tuple(sorted(set(units), key=lambda u: (depth[base_layer(u.layer)], u.layer, u.channel)))


def write_channels(channels: Iterable[int]) -> str:
    """Channels as ranges, as they are parsed: ``[0, 1, 2, 40]`` gives ``"0-2,40"``."""
    runs: list[list[int]] = []
    for n in sorted(set(channels)):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def read_channels(text: str) -> Iterator[int]:
    """The inverse of :func:`write_channels`: ``"0-2,40"`` gives 0, 1, 2, 40."""
    for low, high in _runs(text):
        yield from range(low, high + 1)


def _runs(channels: str) -> Iterator[tuple[int, int]]:
    """First and last of each run of channels as they are written."""
    for part in channels.split(","):
        first, _, last = part.partition("-")
        yield int(first), int(last or first)


def _sum(first: str, more: Sequence[str], net: Architecture, checkpoint: str | None) -> Unit:
    """The unit that a sum of channels is; ``more`` has each sign and what stands behind it."""
    units = [parse_unit(word, net, checkpoint) for word in (first, *more[1::2])]
    for unit in units[1:]:
        if unit.layer != units[0].layer:
            raise UsageError(f"{unit} is not in {units[0].layer}; a sum is of channels of one layer")
    if AT in units[0].layer:
        raise UsageError(f"{units[0]} is a direction; a sum is of channels")
    signs = ["+", *more[::2]]
    layer = f"{units[0].layer}{AT}{sum_name(zip((unit.channel for unit in units), signs, strict=True))}"
    if layer not in net.including([layer]).layers:
        raise UsageError(f"“{''.join((first, *more))}” is 0; a sum is of eight channels at most, which do not cancel")
    return Unit(layer, 0)


def _split(word: str, net: Architecture) -> tuple[str, str | None]:
    """A word as (layer, channels or None). The layer is the longest layer name that the word begins with."""
    lowered = word.lower()
    layer, _, channels = lowered.partition(":")
    if layer in net.layers and _CHANNELS.fullmatch(channels):  # as this project writes it, in thousands of labels
        return layer, channels
    for spelling, layer in net.spellings.items():
        if lowered.startswith(spelling) and lowered[len(spelling) :][:1] in _AFTER_A_LAYER:
            lowered = layer + lowered[len(spelling) :]
            break
    for theirs, ours in _SPELLINGS:
        lowered = theirs.sub(ours, lowered)
    names = {alias: name for name in net.layers for alias in (name, name.removeprefix("mixed"))}
    for alias in sorted(names, key=len, reverse=True):
        if lowered == alias:
            return names[alias], None
        if lowered.startswith(alias) and lowered[len(alias)] in _AFTER_A_LAYER:
            return names[alias], lowered[len(alias) + 1 :].strip()
    asked = re.split(r"[:/ ]", lowered)[0]
    asked = f"mixed{asked}" if asked[:1].isdigit() else asked
    hint = did_you_mean(asked, net.layers, f"layers are {', '.join(net.main_layers)}")
    raise UsageError(f"no layer in “{word}” ({net.name}): {hint}")


def _numbers(channels: str, count: int, layer: str, text: str) -> tuple[int, ...]:
    if not _CHANNELS.fullmatch(channels):
        example = "0-9,40"
        if re.fullmatch(r"\d{1,6}([+-]\d{1,6})+", channels, re.ASCII):  # a sum, with the layer written once
            example = re.sub("[+-]", rf"\g<0>{layer}:", channels)
        raise UsageError(f"cannot read the channels “{channels}” in “{text}”; write {layer}:{example}")
    numbers: list[int] = []
    for low, high in _runs(channels):
        if low > high:
            raise UsageError(f"the range {low}-{high} in “{text}” runs backwards; write {layer}:{high}-{low}")
        if high >= count:
            raise UsageError(f"{layer} has channels 0 to {count - 1}, not {high}; the nearest is {layer}:{count - 1}")
        numbers.extend(range(low, high + 1))
    return tuple(numbers)


def _from_address(address: str, checkpoint: str) -> str:
    """``LAYER:CHANNEL`` from an address of this atlas or of another, if it names the checkpoint in use."""
    try:
        named = read_address(address)
    except ValueError as error:
        raise UsageError(f"cannot read the address {address} ({error}); write it as mixed4a:11") from error
    if named is None:
        raise UsageError(f"no unit in the address {address}; write it as mixed4a:11")
    if named.checkpoint != checkpoint:
        raise UsageError(
            f"{address} names a unit of {named.checkpoint}, not of {checkpoint}: the same number is another unit "
            f"there; say --checkpoint {named.checkpoint}, or write {named} if that is meant"
        )
    return str(named)
