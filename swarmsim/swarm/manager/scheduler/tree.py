"""Placement preferences: a tree of nodes by the values of their labels (manager/scheduler/decision_tree.go).

Each ``spread=`` preference is a level. Tasks are shared out evenly over the branches, counting what the service
already has there; below the last level nodes compete as always. A node without the label stands in the branch of "".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from swarmsim.swarm.manager.scheduler.filters import Pipeline
from swarmsim.swarm.manager.scheduler.nodeinfo import NodeInfo
from swarmsim.swarm.objects import Task

NODE_LABELS, ENGINE_LABELS = "node.labels.", "engine.labels."


class Branch:
    """``tasks``: how many active tasks of the service its nodes had before; ``nodes``: of a leaf, those that pass."""

    def __init__(self) -> None:
        self.tasks = 0
        self.branches: dict[str, Branch] = {}
        self.nodes: list[NodeInfo] = []
        self._tried = False

    def ordered(self, task: Task, pipeline: Pipeline, now: float) -> list[NodeInfo]:
        """A leaf's nodes, best first; those that no longer pass are dropped when it is asked again."""
        if self._tried:
            self.nodes = [info for info in self.nodes if pipeline.process(info)]
        self._tried = True
        self.nodes.sort(key=lambda info: info.rank(task, now))
        return self.nodes


def descriptors(task: Task) -> list[tuple[str, str]]:
    """(prefix, label) of each preference that is understood; others are passed over, as SwarmKit does."""
    texts = [preference.spread.spread_descriptor for preference in task.spec.placement.preferences or ()]
    return [
        (prefix, text[len(prefix) :])
        for text in texts
        for prefix in (NODE_LABELS, ENGINE_LABELS)
        if text[: len(prefix)].lower() == prefix and len(text) > len(prefix)
    ]


def _value(info: NodeInfo, prefix: str, label: str) -> str:
    if prefix == NODE_LABELS:
        return info.node.spec.labels.get(label, "")
    description = info.node.description
    return description.engine_labels.get(label, "") if description else ""


def grow(task: Task, nodes: Iterable[NodeInfo], pipeline: Pipeline) -> Branch:
    """The tree for a task's preferences; ``nodes`` in the order equals are to be taken."""
    levels = descriptors(task)
    root = Branch()
    for info in nodes:
        branch = root
        of_service = info.active_by_service.get(task.service_id, 0)
        for prefix, label in levels:
            branch.tasks += of_service
            branch = branch.branches.setdefault(_value(info, prefix, label), Branch())
        branch.tasks += of_service
        if pipeline.process(info):
            branch.nodes.append(info)
    return root


def share_out(branch: Branch, wanted: int, place: Callable[[Branch, int], int]) -> int:
    """Place ``wanted`` tasks so that branches even out (scheduleNTasksOnSubtree); how many found a place.

    ``place(leaf, n)`` puts up to n tasks on a leaf's nodes and says how many.
    """
    if not branch.branches:
        return place(branch, wanted)
    placed, in_usable = 0, branch.tasks
    full: list[Branch] = []
    converging = True
    while placed != wanted and len(full) != len(branch.branches) and converging:
        each, remainder = divmod(in_usable + wanted - placed, len(branch.branches) - len(full))
        converging = False
        for part in branch.branches.values():
            if part in full:
                continue
            if part.tasks < each or (part.tasks == each and remainder > 0):
                converging = True
                share = each - part.tasks + (1 if remainder > 0 else 0)
                got = share_out(part, share, place)
                if got < share:
                    full.append(part)
                    in_usable -= part.tasks
                elif remainder > 0:
                    remainder -= 1
                placed += got
    return placed
