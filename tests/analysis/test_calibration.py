"""A profile of measured machines: what was measured is in it, the rest is a shipped profile's, and the file says which is which."""

from __future__ import annotations

from random import Random

import pytest

from swarmsim.analysis.calibration import BEYOND_US, beside, calibrated
from swarmsim.profile import Profile, load_profile, read_profile

MEASURED = {
    "link",
    "disk",
    "cli",
    "api",
    "container_create",
    "container_start",
    "container_exit",
    "health_probe",
    "look",
}


@pytest.fixture(scope="module")
def samples():
    """As if machines were those of the profile ``vm``."""
    known, rng = load_profile("vm"), Random(1)
    return {field: [known.samplers[field](rng) for _ in range(400)] for field in sorted(MEASURED)}


def test_every_field_is_measured_or_said_not_to_be():
    assert MEASURED | BEYOND_US.keys() | {"name", "about"} == Profile.model_fields.keys()
    assert not MEASURED & BEYOND_US.keys()


def test_the_file_is_the_profile(samples, tmp_path):
    made, text = calibrated(samples, "mine", "measured by a test", "lab")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert read_profile(path) == made
    assert "# from lab: it takes an election" in text


def test_machines_are_found_again_by_their_times(samples):
    made, _ = calibrated(samples, "mine", "", "lab")
    for _, ours, lab, vm in beside(made, ["disk", "container_start"], ["lab", "vm"]):
        assert float(ours) == pytest.approx(float(vm), rel=0.15)
        assert float(ours) != pytest.approx(float(lab), rel=0.5)
    assert made.engine_start == load_profile("lab").engine_start


def test_too_few_samples_are_none():
    made, text = calibrated({"disk": [0.5, 0.5]}, "mine", "", "vm")
    assert made.disk == load_profile("vm").disk
    assert "disk: {lognormal: {median: 0.008, sigma: 0.6}}  # from vm: measured 2 times, which is too few" in text
