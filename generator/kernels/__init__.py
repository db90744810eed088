"""Operations of a step of ascent that a GPU runs much faster as one kernel than as several: each plain, and in Triton.

Only :func:`generator.kernels.choice.operations` is asked for them. It gives the plain ones wherever the others cannot
be trusted.
"""
