"""Names for services that are given none, in the manner of the daemon's generator (pkg/namesgenerator)."""

from __future__ import annotations

from random import Random

MOODS = (
    "bold brave bright busy calm clever curious eager fair fierce gentle glad great happy hopeful jolly keen kind "
    "lively lucid modest noble patient proud quick quiet relaxed serene sharp steady strange sweet tender vivid "
    "wise witty zealous"
).split()
PEOPLE = (
    "bell bohr cerf curie darwin dijkstra einstein euler feynman franklin galileo gauss goodall hamilton hopper "
    "johnson kepler knuth lamport lovelace mendel newton noether ongaro pascal perlman ritchie sagan shannon "
    "thompson torvalds turing wiles wozniak yalow"
).split()


def random_name(rng: Random) -> str:
    """An adjective and somebody's name: ``quiet_lamport``."""
    return f"{MOODS[int(rng.random() * len(MOODS))]}_{PEOPLE[int(rng.random() * len(PEOPLE))]}"
