"""The keys of networks (manager/keymanager): made with the cluster, another every 12 h, told to all nodes in their sessions.

For each use (``networking:gossip``, ``networking:ipsec``) there are three. The leader drops the oldest and makes a new one when it has
led for 12 h, and then every 12 h: who becomes leader begins to count anew.
"""

from __future__ import annotations

from random import Random

from swarmsim.apitypes.specs import replace
from swarmsim.sim.scope import Scope
from swarmsim.sim.timers import PeriodicTimer
from swarmsim.swarm.objects import GOSSIP_KEYS, IPSEC_KEYS, Cluster, EncryptionKey
from swarmsim.swarm.store import MemoryStore, Transaction

ROTATION_INTERVAL = 12 * 3600.0  # seconds, keymanager.go DefaultKeyRotationInterval
RING = 3  # keys, keymanager.go keyringSize
SKEW = 65536  # keymanager.go genSkew: the clock of a new cluster begins anywhere below

Keys = tuple[EncryptionKey, ...]


def first_keys(rng: Random) -> Keys:
    """Those of a new cluster."""
    clock = rng.randrange(SKEW)
    return tuple(
        EncryptionKey(use, clock + 1 + number)
        for number, use in enumerate(use for use in (GOSSIP_KEYS, IPSEC_KEYS) for _ in range(RING))
    )


def rotated(keys: Keys) -> Keys:
    """Without the oldest of each use, and with a new one instead.

    >>> [key.lamport_time for key in rotated(rotated(first_keys(Random(1)))) if key.subsystem == GOSSIP_KEYS]
    [17614, 17618, 17620]
    """
    clock, kept = max(key.lamport_time for key in keys), list[EncryptionKey]()
    for use in (GOSSIP_KEYS, IPSEC_KEYS):
        clock += 1
        _, *newer = sorted((key for key in keys if key.subsystem == use), key=lambda key: key.lamport_time)
        kept += [*newer, EncryptionKey(use, clock)]
    return tuple(kept)


class KeyManager:
    """The leader's."""

    def __init__(self, scope: Scope, store: MemoryStore) -> None:
        self.scope = scope
        self.store = store
        PeriodicTimer(scope, ROTATION_INTERVAL, self.rotate)

    def rotate(self) -> float:
        self.store.update(self._write)
        return ROTATION_INTERVAL

    @staticmethod
    def _write(tx: Transaction) -> None:
        for cluster in list(tx.all(Cluster)):
            tx.update(replace(cluster, network_keys=rotated(cluster.network_keys)))
