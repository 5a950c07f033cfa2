"""Health checks that fail from now on: the program that a container's check runs is moved away in its file system."""

from __future__ import annotations

import json
import shlex

from swarmsim.real.machine import Change, Machine
from swarmsim.world import FaultError

WITH_HEALTH = "--filter health=starting --filter health=healthy --filter health=unhealthy"
"""What `docker ps` lists with these has a health check."""
ASKED = "[{{json .Config.Healthcheck.Test}}, {{json .Config.Shell}}, {{json .GraphDriver.Data}}]"
SHELL = "/bin/sh"
PLACES = "/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin"
"""Where a program without a path is looked for."""
AWAY = ".swarmsim-took-it-away"

FIND = """\
for place in {places}; do
  found={root}$place
  if [ -e "$found" ] || [ -L "$found" ]; then
    case $(readlink -f "$(dirname "$found")")/ in {root}/*) echo "$place"; exit;; esac
  fi
done
exit 1
"""
"""Says where the program is. A path that leads out of the container's file system is none of ours."""

PUT_BACK = """\
for found in {merged}{place} {upper}{place}; do
  if [ -e "$found{away}" ] || [ -L "$found{away}" ]; then mv -f "$found{away}" "$found"; break; fi
done
"""
"""Of a container that has ended the files are only in the upper layer of its overlay; of one that was removed nowhere."""


async def without_its_check(machine: Machine, container: str) -> Change:
    """Take away what the check of a container runs, so that no further one can begin; what runs in it already does not notice.

    Raises :class:`FaultError` if its engine keeps its files in another way than overlays, or the program is not to be found.
    """
    asked = await machine.shell(machine.inside(f"docker inspect -f {shlex.quote(ASKED)} {container}"))
    try:
        test, shell, kept = json.loads(asked.out)
        merged, upper = shlex.quote(kept["MergedDir"]), shlex.quote(kept["UpperDir"])
    except (ValueError, KeyError, TypeError):
        raise FaultError(f"{container} on {machine.name}: its files are not to be found: {asked.err.strip()}") from None
    program = (shell or [SHELL])[0] if test[0] == "CMD-SHELL" else test[1]
    places = program if program.startswith("/") else " ".join(f"{folder}/{program}" for folder in PLACES.split())
    found = await machine.shell(machine.inside(FIND.format(places=places, root=merged)))
    if found.code:
        raise FaultError(f"{container} on {machine.name}: {program}, which its health check runs, is not in it")
    place = shlex.quote(found.out.strip())
    do = f"mv {merged}{place} {merged}{place}{AWAY}"
    undo = PUT_BACK.format(merged=merged, upper=upper, place=place, away=AWAY)
    what = f"take {program} from {container} on {machine.name}"
    return Change(machine.name, what, machine.inside(do), machine.inside(undo))
