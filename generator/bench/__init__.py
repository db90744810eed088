"""How fast the renderer is, compared with Lucent and with the network's convolutions alone.

Everything that is compared runs in one process, on the same weights, units, device and threads.
"""
