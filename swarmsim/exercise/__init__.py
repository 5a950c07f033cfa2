"""Exercises: a student's sitting, how far it has come, and what a lecturer makes of it.

A lecturer writes an exercise (:mod:`swarmsim.scenario.exercise`) and its key (:mod:`swarmsim.exercise.key`), and builds the student's
file from both. Watching it is a :class:`~swarmsim.exercise.sitting.Sitting`, judged on the way by
:class:`~swarmsim.exercise.marking.Marking` from the rows alone. The session that is saved is replayed by
:mod:`swarmsim.exercise.correction`, judged by the same marking, and gets its points.
"""
