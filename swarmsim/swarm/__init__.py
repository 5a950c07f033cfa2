"""SwarmKit: the objects of a swarm, and the managers and agents that move them.

Folder for folder after moby/swarmkit: :mod:`~swarmsim.swarm.objects` (api/), :mod:`~swarmsim.swarm.store`
(manager/state/store), :mod:`~swarmsim.swarm.manager`, :mod:`~swarmsim.swarm.agent`, :mod:`~swarmsim.swarm.ca`.
"""
