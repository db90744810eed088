"""Inline SVG: the activation by step, the plan of the network, and how much of the input a unit sees.

Each function takes plain numbers and gives markup. Colours and type come from the style sheet by class, so a chart is
right in light, dark and print; there is no ``style`` attribute, which the pages' content security policy would refuse.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup, escape

from generator.core.architecture import BRANCHES
from generator.core.record import printed
from generator.publish.catalog import AtlasCheckpoint, AtlasLayer
from generator.publish.urls import Urls

AXIS = 165.0  # of the plan of the network, which is 400 wide


def activation_curve(
    name: str, steps: Sequence[float], final: float, wake_steps: int, marks: Sequence[int] = ()
) -> Markup:
    """The activation at each step, the steps with leaking ReLUs shaded, and the final activation as a line across.

    Leaking ReLUs can raise the activation to several times what it is later, so those steps are cut at the ends.

    ``marks`` are steps that get a dot, and there is a larger one at the end, which a script can move along the line."""
    if not steps:
        return Markup("")
    left, right, top, bottom = 40, 394, 12, 164
    compared = steps[wake_steps:] or steps
    low, high = min(0.0, final, *compared), max(0.0, final, *compared)
    low, high = (low, high) if low < high else (0.0, 1.0)

    across, up = (right - left) / max(len(steps) - 1, 1), (bottom - top) / (high - low)

    def rise(value: float) -> float:
        return (min(max(value, low), high) - low) * up

    def x(step: int) -> str:
        return f"{round(left + step * across, 1):g}"

    def y(value: float) -> str:
        return f"{round(bottom - rise(value), 1):g}"

    # the line in steps and half units of height: a step takes four bytes, and a page of a unit has 128
    halves = [round(rise(a) * 2) for a in steps]
    line = "".join([f"l1{after - before:+}" for before, after in pairwise(halves)])
    woken = min(wake_steps, len(steps) - 1)
    out = [
        f'<svg class="curve" viewBox="0 0 400 200" role="img" aria-label="Activation of {escape(name)}: '
        f"{printed(steps[0])} at the first of {len(steps)} steps, {printed(steps[-1])} at the last; "
        f'the finished picture measures {printed(final)}">',
    ]
    if woken > 0:
        out.append(f'<rect class="wake" x="{left}" y="{top}" width="{woken * across:.1f}" height="{bottom - top}"/>')
    ticks = [(y(tick), printed(tick)) for tick in _ticks(low, high)]
    out.append(f'<path class="grid" d="{"".join(f"M{left} {at}H{right}" for at, _ in ticks)}"/>')
    numbers = "".join(f"<text y={at}>{number}</text>" for at, number in ticks)
    out.append(f'<g text-anchor="end" transform="translate({left - 6} 4)">{numbers}</g><g text-anchor="middle">')
    last = len(steps) - 1
    for step in sorted({0, len(steps) // 2 if marks else last // 2, last}):
        anchor = ' text-anchor="end"' if step == last > 0 else ""
        # marks count the steps that were taken before, of which the last mark has all; a curve alone numbers the steps
        said = (len(steps) if step == last else step) if marks else step + 1
        out.append(f"<text x={x(step)} y={bottom + 16}{anchor}>{said}</text>")
    out.append(f"<text x={(left + right) / 2:g} y=197>step</text></g>")
    out.append(f'<path class="final" d="M{left} {y(final)}H{right}"/>')
    scale = f"translate({left} {bottom}) scale({across:.5g} -.5)"
    out.append(f'<path class="line" transform="{scale}" d="M0 {halves[0]}{line}"/>')
    if marks:
        ends = [min(step, len(steps) - 1) for step in marks]
        places = [(x(step), y(steps[step])) for step in ends]
        out += [f'<circle class="mark" cx="{at}" cy="{of}" r="2.5"/>' for at, of in places]
        out.append(f'<circle class="dot" cx="{x(len(steps) - 1)}" cy="{y(steps[-1])}" r="5"/>')
    out.append("</svg>")
    return Markup("".join(out))  # noqa: S704 - numbers, and a name that is escaped


def spectrum(name: str, power: Sequence[float], like: Sequence[float], low: float, high: float) -> Markup:
    """Power by spatial frequency, both on logarithmic scales, with a line that falls as a photograph's power does.

    ``low`` and ``high`` are the ends of the scale, so that several spectra can be compared.
    """
    left, right, top, bottom = 34, 234, 8, 118
    across = (right - left) / math.log10(len(power))
    up = (bottom - top) / math.log10(high / low)

    def points(values: Sequence[float]) -> str:
        kept = [(n, min(v, high)) for n, v in enumerate(values, 1) if low <= v <= high * 1.0001]
        return " ".join(f"{left + across * math.log10(n):.1f},{bottom - up * math.log10(v / low):.1f}" for n, v in kept)

    out = [
        '<svg class="curve spectrum" viewBox="0 0 240 150" role="img">'
        f"<title>Power of {escape(name)} by spatial frequency, from 1 to {len(power)} cycles a picture</title>"
    ]
    for exponent in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1):
        height = f"{bottom - up * (exponent - math.log10(low)):.1f}"
        out.append(f'<path class="grid" d="M{left} {height}H{right}"/>')
        if exponent % 2 == 0:
            out.append(
                f'<text x="{left - 5}" y="{height}" dy="4" text-anchor="end">10<tspan dy="-4">{exponent}</tspan></text>'
            )
    for cycles in (1, 10, 100):
        if cycles <= len(power):
            place = f"{left + across * math.log10(cycles):.1f}"
            out.append(f'<text x="{place}" y="{bottom + 15}" text-anchor="middle">{cycles}</text>')
    out.append(f'<text x="{(left + right) / 2:g}" y="147" text-anchor="middle">cycles a picture</text>')
    out.append(f'<polyline class="like" points="{points(like)}"/><polyline class="line" points="{points(power)}"/>')
    return Markup("".join(out) + "</svg>")  # noqa: S704 - numbers, and a name that is escaped


def receptive_field(width: int, size: int) -> Markup:
    """A square for the input, and in it the part that one position of the grid sees."""
    seen = min(width / size, 1) * 46
    at = 24 - seen / 2
    return Markup(  # noqa: S704 - numbers only
        '<svg class="field" viewBox="0 0 48 48" width="48" height="48" aria-hidden="true">'
        '<rect class="frame" x=".5" y=".5" width="47" height="47" rx="3"/>'
        f'<rect class="seen" x="{at:.1f}" y="{at:.1f}" width="{seen:.1f}" height="{seen:.1f}" rx="2"/></svg>'
    )


def excitation(best: float, picture: float) -> Markup:
    """The line from silence over the best photograph to the picture, each with its activation. Both are above 0.

    Where the best photograph excites the unit more than the picture does, it comes last.
    """
    (nearer, near), (farther, far) = sorted([(best, "best photograph"), (picture, "its picture")])
    at = 5 + 350 * nearer / farther
    last, middle = f"{far} {printed(farther)}", f"{near} {printed(nearer)}"
    half = 3.2 * len(middle)  # of its width: 12 pixels high, a character is 6.4 wide
    place = max(half, min(at, 350 - 6.4 * len(last) - half))
    silence = '<text x="0" y="28">silence</text>' if place - half > 52 else ""
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="excitation" viewBox="0 0 360 32" role="img" '
        f'aria-label="Silence 0, {middle}, {last}, mean over the grid">'
        f'<path d="M5 8H355"/><path d="M5 8h0M{at:.1f} 8h0M355 8h0"/>{silence}'
        f'<text x="{place:.1f}" y="28" text-anchor="middle">{middle}</text>'
        f'<text x="360" y="28" text-anchor="end">{last}</text></svg>'
    )


def network(checkpoint: AtlasCheckpoint, url: Urls) -> Markup:
    """The plan of the network, read downwards: a bar's width is its number of channels, its height the side of its
    grid.

    Every layer is a link. A mixed layer is cut into its branches, each reached by a line of its own.
    """
    layers = checkpoint.main_layers
    per_channel = 170 / max(layer.layer.channels for layer in layers)
    wires: list[str] = []
    rows: list[str] = []
    y = bottom = 0.0
    stride = 0
    for layer in layers:
        pooled = bool(rows) and layer.layer.stride > stride  # of the layers, conv2d0 alone has a stride of its own
        stride = layer.layer.stride
        y = max(y + 40, bottom + (40 if pooled else 28))
        parts = _parts(layer, per_channel)
        if rows:
            wires.append(_wires(bottom, y, pooled, [x + width / 2 for _, x, width in parts]))
        height = round(2.6 + 4.6 * math.sqrt(layer.grid))
        bars = "".join(
            f'<rect class="{name}" x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{height}" rx="1"/>'
            for name, x, width in parts
        )
        rows.append(_row(layer, y + height / 2, bars, url.layer(checkpoint.name, layer.name)))
        bottom = y + height
    legend = "".join(
        f'<rect class="branch-{i}" x="{70 + i * 60}" y="{bottom + 30:g}" width="10" height="10" rx="1"/>'
        f'<text x="{84 + i * 60}" y="{bottom + 39:g}">{name}</text>'
        for i, name in enumerate(BRANCHES)
    )
    return Markup(  # noqa: S704 - the table of the network, and links that are escaped
        f'<svg class="network" viewBox="0 0 400 {bottom + 46:g}" role="group" aria-labelledby="network-title">'
        f'<title id="network-title">The layers of the network, from {layers[0].name} to {layers[-1].name}</title>'
        f'<g class="head">{_columns("layer", "channels", "grid", "sees", 14)}</g>'
        f"{''.join(wires)}{''.join(rows)}{legend}</svg>"
    )


def _parts(layer: AtlasLayer, per_channel: float) -> list[tuple[str, float, float]]:
    """The pieces of a layer's bar: class, left edge and width, with a thin gap between branches."""
    left = AXIS - layer.layer.channels * per_channel / 2
    if not layer.layer.branches:
        return [("stem", left, layer.layer.channels * per_channel)]
    return [
        (f"branch-{i}", left + b.first * per_channel + 0.3, b.channels * per_channel - 0.6)
        for i, b in enumerate(layer.layer.branches)
    ]


def _wires(top: float, bottom: float, pooled: bool, ends: Sequence[float]) -> str:
    """The lines from one bar down to the pieces of the next, through a pooling if there is one."""
    out, fork = "", top
    if pooled:
        out = (
            f'<path class="pool" d="M{AXIS - 7:g} {top + 4:g}h14l-5 7h-4z"/>'
            f'<text x="{AXIS + 14:g}" y="{top + 12:g}">pool</text>'
        )
        fork = top + 11
    bend = (fork + bottom) / 2
    lines = "".join(f"M{AXIS:g} {fork:g}C{AXIS:g} {bend:g} {x:.1f} {bend:g} {x:.1f} {bottom:g}" for x in ends)
    return f'{out}<path class="wire" d="{lines}"/>'


def _row(layer: AtlasLayer, middle: float, bars: str, link: str) -> str:
    """One layer: a link with its bar and numbers."""
    of, grid = layer.layer, layer.grid
    return (
        f'<a href="{escape(link)}">'
        f'<rect class="row" x="0" y="{middle - 15:g}" width="400" height="30" rx="3"/>{bars}'
        f"{_columns(layer.name, str(of.channels), f'{grid}²', f'{of.receptive_field} px', middle + 4)}</a>"
    )


def _columns(name: str, channels: str, grid: str, sees: str, y: float) -> str:
    numbers = "".join(
        f'<text x="{x}" y="{y:g}" text-anchor="end">{text}</text>'
        for x, text in ((296, channels), (340, grid), (396, sees))
    )
    return f'<text class="name" x="4" y="{y:g}">{name}</text>{numbers}'


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round values within a range."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]
