"""What a node asks the swarm's certificate authority (ca/certificates.go, ca/config.go).

Who joins downloads the root and holds it against the digest in its token, asks for a certificate, waits until the leader has signed it, and,
if it is a manager's, asks for the key that locks managers. A member does the last three again at every renewal.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import TypeAlias, TypeVar

from swarmsim.sim.errors import ModelError
from swarmsim.sim.future import Activity
from swarmsim.sim.net.channel import Channel
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.api.ca import (
    GET_ROOT_CA_CERTIFICATE,
    GET_UNLOCK_KEY,
    ISSUE_NODE_CERTIFICATE,
    NODE_CERTIFICATE_STATUS,
    GetRootCACertificateRequest,
    GetRootCACertificateResponse,
    GetUnlockKeyRequest,
    IssueNodeCertificateRequest,
    IssueNodeCertificateResponse,
    NodeCertificateStatusRequest,
    NodeCertificateStatusResponse,
)
from swarmsim.swarm.ca.certificates import Certificate, CertificateError, RootCA
from swarmsim.swarm.ca.unlockkey import KEK

ATTEMPTS = 5
RETRY = 2.0  # seconds, ca/config.go GetCertRetryInterval
STATUS_BASE, STATUS_FACTOR, STATUS_MAX = 1.0, 1.0, 30.0  # seconds between questions, GetRemoteSignedCertificate
TIMEOUT = 5.0  # seconds, certificates.go GetRemoteCA, GetRemoteSignedCertificate, getKEKUpdate

T = TypeVar("T")
Question: TypeAlias = Callable[[Channel], Activity[T]]
"""Something to be asked over a channel."""


class JoinError(ModelError):
    """The node could not become part of the swarm."""


def five_times(attempt: Callable[[bool], Activity[T]], pause: float) -> Activity[T]:
    """Ask five times, ``pause`` seconds apart (RequestAndSaveNewCertificates, DownloadRootCA): the manager asked may just have been demoted.
    Also the last failure waits. ``attempt`` is told whether it is the first. Raises what the last attempt did."""
    failure: ModelError | None = None
    for number in range(ATTEMPTS):
        try:
            return (yield from attempt(number == 0))
        except ModelError as error:
            failure = error
        if pause:
            yield pause
    assert failure is not None
    raise failure


def asked(channel: Channel, question: Question[T]) -> Activity[T]:
    """Ask over a channel and hang up."""
    try:
        return (yield from question(channel))
    finally:
        channel.close()


def current_root(channel: Channel) -> Activity[RootCA]:
    """What a manager says is the root. Raises :class:`RpcError`."""
    answer: GetRootCACertificateResponse = yield channel.call(
        GET_ROOT_CA_CERTIFICATE, GetRootCACertificateRequest(), TIMEOUT
    ).reply
    return answer.root


def download_root(channel: Channel, digest: bytes, wall: WallClock) -> Activity[RootCA]:
    """The root, if its certificate has this SHA-256 and is valid by the own clock. Raises :class:`RpcError` and :class:`JoinError`."""
    root = yield from current_root(channel)
    if sha256(root.pem.encode()).digest() != digest:
        raise JoinError(f"remote CA does not match fingerprint. Expected: {digest.hex()}")
    try:
        root.load(wall.now)
    except CertificateError as error:
        raise JoinError(str(error)) from None
    return root


def signed_certificate(channel: Channel, request: IssueNodeCertificateRequest, rng: Random) -> Activity[Certificate]:
    """Ask for a certificate and wait until it is signed, also if it was refused (GetRemoteSignedCertificate). Raises :class:`RpcError`."""
    issued: IssueNodeCertificateResponse = yield channel.call(ISSUE_NODE_CERTIFICATE, request, TIMEOUT).reply
    failures = 0
    while True:
        status = NodeCertificateStatusRequest(issued.node_id)
        try:
            answer: NodeCertificateStatusResponse = yield channel.call(NODE_CERTIFICATE_STATUS, status, TIMEOUT).reply
            if answer.issued.certificate is not None:
                return answer.issued.certificate
        except RpcError as error:
            if error.code != "DeadlineExceeded":
                raise
        failures += 1
        yield rng.random() * min(STATUS_BASE + STATUS_FACTOR * 2.0 ** (failures - 1), STATUS_MAX)


def unlock_key(channel: Channel) -> Activity[KEK]:
    """What the keys of managers are to be encrypted with (getKEKUpdate). Raises :class:`RpcError`."""
    kek: KEK = yield channel.call(GET_UNLOCK_KEY, GetUnlockKeyRequest(), TIMEOUT).reply
    return kek
