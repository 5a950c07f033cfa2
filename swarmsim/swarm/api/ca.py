"""api/ca.proto: how a node gets its certificate."""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.sim.method import Method
from swarmsim.swarm.api.roles import ANYONE
from swarmsim.swarm.ca.certificates import RootCA
from swarmsim.swarm.objects import Availability, Role


class GetRootCACertificateRequest(NamedTuple):
    """Who are you?"""


class GetRootCACertificateResponse(NamedTuple):
    """The swarm's root certificate, to be held against the digest in the join token."""

    root: RootCA


class IssueNodeCertificateRequest(NamedTuple):
    """A joining node shows its token."""

    token: str
    availability: Availability


class IssueNodeCertificateResponse(NamedTuple):
    """Who the node now is. SwarmKit's certificate, asked for with NodeCertificateStatus, says so."""

    node_id: str
    cluster_id: str
    role: Role


GET_ROOT_CA_CERTIFICATE = Method(
    "docker.swarmkit.v1.CA/GetRootCACertificate", GetRootCACertificateRequest, GetRootCACertificateResponse, ANYONE
)

ISSUE_NODE_CERTIFICATE = Method(
    "docker.swarmkit.v1.NodeCA/IssueNodeCertificate",
    IssueNodeCertificateRequest,
    IssueNodeCertificateResponse,
    ANYONE,
)
