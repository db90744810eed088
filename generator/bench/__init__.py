"""How fast the renderer is, beside Lucent and beside the least that the network's arithmetic takes.

>>> result = compare("bvlc_googlenet", "mixed4a", units=4)                         # doctest: +SKIP
>>> result.speedup_to_lucent_activation, result.over_floor                         # doctest: +SKIP

Everything that is compared runs in one process, on the same weights, units, device and threads.
"""
