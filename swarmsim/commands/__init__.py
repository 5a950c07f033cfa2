"""Commands of ``swarmsim`` by what they are for, a file for each group; :mod:`swarmsim.cli` puts them together.

What all of them are given (scenarios, traces, moments), and how they refuse it, is in :mod:`.given`.
"""
