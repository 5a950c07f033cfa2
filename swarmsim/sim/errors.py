"""What can go wrong in the model's world, and what must not."""

from __future__ import annotations


class ModelError(Exception):
    """Something in the model's world failed, as things do. An activity nobody waits for may die of it."""


class BrokenRule(ModelError):
    """The model did what it must never do. Nobody lives on with that: the run ends with it."""
