"""What the classes of a network are called."""

from __future__ import annotations


def class_name(names: tuple[str, ...], index: int) -> str:
    """What a class is called, or its number."""
    return names[index] if index < len(names) else f"class {index}"
