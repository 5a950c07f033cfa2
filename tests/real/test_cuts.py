"""Cuts of real hosts mean what they mean on the model's fabric: both are given the same, at random."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from swarmsim.real.cuts import Cuts
from swarmsim.world import HostSpec
from swarmsim.world.simulated import SimulatedWorld

HOSTS = ["m1", "m2", "m3", "w1"]
some = st.lists(st.sampled_from(HOSTS), min_size=1, max_size=3, unique=True)
two = st.lists(st.sampled_from(HOSTS), min_size=2, max_size=2, unique=True)
actions = st.one_of(
    st.tuples(st.just("cut"), two),
    st.tuples(st.just("separate"), some),
    st.tuples(st.just("partition"), st.lists(some, min_size=1, max_size=2)),
    st.tuples(st.just("rejoin"), st.integers(1, 3)),
    st.tuples(st.just("heal"), st.lists(st.sampled_from(HOSTS), max_size=2, unique=True)),
)


@given(st.lists(actions, max_size=8))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_as_the_model_has_it(done):
    hosts = [HostSpec(name, f"10.0.0.{n}", "manager") for n, name in enumerate(HOSTS, 1)]
    fabric = SimulatedWorld(hosts, 1, "lab").ctx.fabric
    cuts = Cuts(HOSTS)
    separations: list[tuple[int, int]] = []
    for verb, argument in done:
        if verb == "cut":
            cuts.cut(*argument)
            fabric.cut(*argument)
        elif verb == "separate":
            separations.append((cuts.separate(argument), fabric.separate(argument)))
        elif verb == "partition":
            cuts.partition(argument)
            fabric.partition(argument)
        elif verb == "rejoin" and len(separations) >= argument:
            ours, theirs = separations[argument - 1]
            cuts.rejoin(ours)
            fabric.rejoin(theirs)
        elif verb == "heal":
            cuts.heal(*argument)
            fabric.heal(*argument)
    for host in HOSTS:
        assert cuts.unreachable(host) == [other for other in HOSTS if not fabric.reaches(host, other)]
