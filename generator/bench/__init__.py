"""How fast the renderer is, compared with Lucent and with the network's convolutions alone.

>>> result = compare("bvlc_googlenet", "mixed4a", units=4)                         # doctest: +SKIP
>>> result.speedup_to_lucent_activation, result.over_floor                         # doctest: +SKIP

Everything that is compared runs in one process, on the same weights, units, device and threads.
"""
