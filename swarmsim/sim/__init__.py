"""The physical world: time, chance, hosts, and the links between them.

Nothing in here knows Docker. A :class:`~swarmsim.sim.clock.Clock` orders events, a
:class:`~swarmsim.sim.scope.Scope` owns whatever runs, a :class:`~swarmsim.sim.host.Host` has power,
a disk and processes, and the :class:`~swarmsim.sim.fabric.Fabric` carries messages between them.
"""
