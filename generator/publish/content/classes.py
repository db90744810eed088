"""What the classes of a network are called."""

from __future__ import annotations

from generator.checkpoints import CHECKPOINTS


def class_names(checkpoint: str) -> tuple[str, ...]:
    """The names of a checkpoint's classes in the order of its classifier, or () if they are not known."""
    spec = CHECKPOINTS.get(checkpoint)
    return spec.class_names if spec else ()


def class_name(names: tuple[str, ...], index: int) -> str:
    """What a class is called, or its number."""
    return names[index] if index < len(names) else f"class {index}"
