"""Figures for papers, posts and notebooks: pictures in memory, laid out by matplotlib.

``compose`` has one function for each figure, ``layout`` places pictures and plots, ``save`` writes a file. Nothing here
renders, reads the store or touches pyplot's global state, and a figure shows itself in a notebook.
"""
