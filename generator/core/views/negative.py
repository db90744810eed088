"""The channel's mean before the ReLU with its sign turned: what the channel is most against."""

from generator.core.views.view import View, maps_of

view = View(
    "the mean before the ReLU, as low as it goes",
    wakes=False,
    measure=lambda bare, channels, relu: -maps_of(bare, channels).float().mean((1, 2)),
)
