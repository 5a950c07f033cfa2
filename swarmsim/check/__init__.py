"""Is what happened possible? The rules of SwarmKit's own specification, held against any trace."""

from swarmsim.check.invariants import CHECKED, INVARIANTS, Broken, Checker, check_trace

__all__ = ["CHECKED", "INVARIANTS", "Broken", "Checker", "check_trace"]
