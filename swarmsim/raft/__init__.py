"""Consensus without input or output, after etcd-io/raft (the library inside SwarmKit).

:class:`~swarmsim.raft.core.Raft` is driven from outside: ``tick()`` for time, ``step(message)`` for what
arrives, ``propose(data)`` for what the application wants, and ``ready()`` for what must now be saved,
sent and applied, in that order. It owns no clock, no network and no randomness.
"""
