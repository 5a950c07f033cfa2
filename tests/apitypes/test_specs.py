"""Bodies as docker's client 28.2.2 sends them (bodies.json) are read as records, and written again as they were."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from swarmsim.apitypes.base import as_json, decode, encode
from swarmsim.apitypes.specs import (
    ContainerSpec,
    CredentialSpec,
    Driver,
    GlobalService,
    Mode,
    Privileges,
    Replicated,
    ReplicatedJob,
    RestartPolicy,
    SecretSpec,
    ServiceSpec,
    UpdateConfig,
)

SENT = json.loads((Path(__file__).parent / "bodies.json").read_text())


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: sent["says"][:60])
def test_what_the_real_client_sends_is_read_and_written_as_it_was(sent):
    body = json.dumps(sent["body"])
    spec = msgspec.json.decode(body, type=ServiceSpec)
    assert json.loads(encode(spec)) == sent["body"]
    assert decode(body.encode(), ServiceSpec) == spec


WRITTEN = [
    (ContainerSpec(), {"DNSConfig": {}}, "what is zero is left out, but for records"),
    (ContainerSpec(init=False, stop_grace_period=0), {"Init": False, "StopGracePeriod": 0, "DNSConfig": {}}, "pointers"),
    (Driver(name="none", options={}), {"Name": "none"}, "an empty map"),
    (Driver(options={"b": "1", "a": "2"}), {"Options": {"a": "2", "b": "1"}}, "maps are sorted"),
    (RestartPolicy(max_attempts=0), {"MaxAttempts": 0}, "a pointer to zero"),
    (Mode(global_=GlobalService()), {"Global": {}}, "a record without fields"),
    (Mode(replicated=Replicated(replicas=0)), {"Replicated": {"Replicas": 0}}, "none at all"),
    (UpdateConfig(), {"Parallelism": 0, "MaxFailureRatio": 0, "Order": ""}, "fields without omitempty"),
    (SecretSpec(name="pw", data=b"\x00\xff"), {"Name": "pw", "Labels": {}, "Data": "AP8="}, "bytes in base64"),
    (
        Privileges(credential_spec=CredentialSpec(file="x")),
        {
            "CredentialSpec": {"Config": "", "File": "x", "Registry": ""},
            "SELinuxContext": None,
            "NoNewPrivileges": False,
        },
        "a nil pointer without omitempty",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("record", "written", "why"), WRITTEN, ids=[why for *_, why in WRITTEN])
def test_records_are_written_as_go_writes_them(record, written, why):
    assert as_json(record) == written
    assert list(as_json(record)) == list(written)


@pytest.mark.parametrize(
    ("body", "record"),
    [
        (b'{"Name":"x","Labels":null,"UpdateConfig":null,"NoSuchField":1}', ServiceSpec(name="x")),
        (b'{"Mode":{"Replicated":{}}}', ServiceSpec(mode=Mode(replicated=Replicated()))),
        (
            b'{"Mode":{"ReplicatedJob":{"MaxConcurrent":3}}}',
            ServiceSpec(mode=Mode(replicated_job=ReplicatedJob(max_concurrent=3))),
        ),
    ],
)
def test_what_is_null_or_missing_keeps_its_default(body, record):
    assert decode(body, ServiceSpec) == record


def test_how_many_tasks_a_mode_has_that_does_not_say():
    assert Replicated().count == 1
    assert (ReplicatedJob().concurrent, ReplicatedJob().total) == (1, 1)
    assert ReplicatedJob(max_concurrent=3).total == 3
