"""The simulated world: a cluster on paper, driven and observed as the recorder of the real cluster did it.

What a manager's API shows is looked at every 0.1 s and written down when it changed. A look asks the managers in
order, 5 s each, and takes the first answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from swarmsim.image import OwnImage, UnknownImages
from swarmsim.profile import Profile
from swarmsim.sim.future import Activity
from swarmsim.trace import rows
from swarmsim.trace.rows import KINDS
from swarmsim.trace.state import ClusterState
from swarmsim.world import Capability, Fields, HostSpec
from swarmsim.world.authority import AuthoritySpec
from swarmsim.world.cluster import SWITCH, SimulatedCluster
from swarmsim.world.forming import form
from swarmsim.world.observer import Observer
from swarmsim.world.verbs import VERBS
from swarmsim.world.views import Differences, View
from swarmsim.world.vitals import Vitals


class SimulatedWorld(SimulatedCluster):
    """A cluster on paper as a :class:`~swarmsim.world.World`. Build it, :meth:`form` a swarm on it, then :meth:`run` what drives it."""

    capabilities: Collection[Capability] = frozenset(Capability)
    verbs: Collection[str] = VERBS.keys()

    def __init__(
        self,
        hosts: list[HostSpec],
        seed: int,
        profile: str | Profile,
        *,
        images: Sequence[OwnImage] = (),
        unknown_images: UnknownImages = UnknownImages.MISSING,
        eager: bool = False,
        gossip: bool = False,
        authorities: Sequence[AuthoritySpec] = (),
    ) -> None:
        super().__init__(
            hosts,
            seed,
            profile,
            images=images,
            unknown_images=unknown_images,
            eager=eager,
            gossip=gossip,
            authorities=authorities,
        )
        self._shown = ClusterState()
        self._differences = Differences(self._show)

    def form(self) -> Activity[None]:
        return form(self)

    def fault(self, verb: str, argument: Any) -> Activity[list[str]]:
        return VERBS[verb](self, argument)

    def look(self) -> Activity[ClusterState | None]:
        view: View | None = yield from self.view()
        if view is None:
            return None
        self._differences.write(view)
        return self._shown

    def _show(self, row_type: Callable[Fields, object], *none: Fields.args, **fields: Fields.kwargs) -> None:
        """One more row of what a manager shows to whoever looks for the scenario."""
        self._shown.apply({"t": self.clock.now, "kind": KINDS[row_type], **fields})

    def observe(self) -> None:
        """Start writing down what the managers' API shows, and what is true."""
        self.scope.spawn(Observer(self).run())
        Vitals(self)

    def introduce(self) -> None:
        """Note the hosts there are, and from now on what of the links between them is not as usual."""
        for name, spec in self.hosts.items():
            self.journal.note(
                rows.Host,
                host=name,
                role=str(spec.role),
                site=spec.site or None,
                address=spec.address,
                cpus=spec.cpus,
                memory=spec.memory,
            )
        self.ctx.fabric.on_change = self._note_links

    def _note_links(self) -> None:
        fabric = self.ctx.fabric
        links = {host: fabric.graph.edges[host, SWITCH] for host in self.hosts}
        seldom: dict[str, Any] = {}
        if fabric.closed_ports():
            seldom["closed"] = [
                (host, f"{port}/{protocol}" if port else protocol) for host, protocol, port in fabric.closed_ports()
            ]
        if fabric.mtus():
            seldom["mtu"] = fabric.mtus()
        self.journal.note(
            rows.Links,
            cuts=fabric.cuts(),
            isolated=fabric.separations(),
            slow=[host for host, link in links.items() if link["slow"]],
            lossy={host: round(100 * link["loss"], 3) for host, link in links.items() if link["loss"]},
            **seldom,
        )
