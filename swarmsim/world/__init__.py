"""Worlds: where a scenario's commands and faults go, and where observations come from.

:class:`~swarmsim.world.simulated.SimulatedWorld` is the model; real hosts will stand behind the same calls.
"""
