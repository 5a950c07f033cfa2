"""api/ca.proto: how a node gets its certificate, and the next one."""

from __future__ import annotations

from typing import NamedTuple

from swarmsim.sim.method import Method
from swarmsim.swarm.api.roles import ANYONE, MANAGERS
from swarmsim.swarm.ca.certificates import Certificate, RootCA
from swarmsim.swarm.ca.unlockkey import KEK
from swarmsim.swarm.objects import Availability, IssuedCertificate


class GetRootCACertificateRequest(NamedTuple):
    """Who are you?"""


class GetRootCACertificateResponse(NamedTuple):
    """The swarm's root certificate, to be held against the digest in the join token."""

    root: RootCA


class IssueNodeCertificateRequest(NamedTuple):
    """A joining node shows its token; a member asks for its next certificate and shows the one it has."""

    token: str = ""
    availability: Availability = Availability.ACTIVE
    shown: Certificate | None = None


class IssueNodeCertificateResponse(NamedTuple):
    """Says who the node is; its certificate is asked for with :data:`NODE_CERTIFICATE_STATUS`."""

    node_id: str


class NodeCertificateStatusRequest(NamedTuple):
    """Tell me when my certificate is signed."""

    node_id: str


class NodeCertificateStatusResponse(NamedTuple):
    """What became of it, and the root that vouches for it."""

    issued: IssuedCertificate
    root: RootCA


class GetUnlockKeyRequest(NamedTuple):
    """What are managers locked with?"""


GET_ROOT_CA_CERTIFICATE = Method(
    "docker.swarmkit.v1.CA/GetRootCACertificate", GetRootCACertificateRequest, GetRootCACertificateResponse, ANYONE
)

ISSUE_NODE_CERTIFICATE = Method(
    "docker.swarmkit.v1.NodeCA/IssueNodeCertificate",
    IssueNodeCertificateRequest,
    IssueNodeCertificateResponse,
    ANYONE,
)

NODE_CERTIFICATE_STATUS = Method(
    "docker.swarmkit.v1.NodeCA/NodeCertificateStatus",
    NodeCertificateStatusRequest,
    NodeCertificateStatusResponse,
    ANYONE,
)

GET_UNLOCK_KEY = Method("docker.swarmkit.v1.CA/GetUnlockKey", GetUnlockKeyRequest, KEK, MANAGERS)
