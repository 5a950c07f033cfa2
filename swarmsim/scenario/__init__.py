"""Scenarios: what happens to a cluster, written in YAML, and the runner that makes it happen."""

from swarmsim.scenario.loader import ScenarioError, load_scenario, shipped_scenarios
from swarmsim.scenario.runner import Outcome, run_scenario
from swarmsim.scenario.schema import Scenario

__all__ = ["Outcome", "Scenario", "ScenarioError", "load_scenario", "run_scenario", "shipped_scenarios"]
