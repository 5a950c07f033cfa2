"""Which root a swarm is to have (manager/controlapi/ca_rotation.go).

==============================================  =======================================================================================
what is given                                   what follows
==============================================  =======================================================================================
nothing                                         all stays as it is
``force_rotate`` is another                     a rotation to a root that the swarm makes
a certificate and its key                       a rotation to it
a certificate, and an external authority of it  a rotation to it; that authority signs from now on
the certificate of the present root             no rotation, and one under way is given up; the key, if there is one, is taken over
the certificate that is being rotated to        its key is taken over
==============================================  =======================================================================================

A rotation takes the place of one under way. The present root signs the new one, so that whoever trusts only the old accepts what the new signs:
with its key, or an external authority does it. Whoever needs an external authority has to name one that can be reached: that is asked before
anything is written.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from swarmsim.apitypes.specs import replace
from swarmsim.sim.future import Activity
from swarmsim.sim.host import Process
from swarmsim.sim.net.http import HttpError, connect, where
from swarmsim.sim.net.status import RpcError, invalid_argument
from swarmsim.sim.scope import Scope
from swarmsim.swarm.api.control import UpdateClusterRequest
from swarmsim.swarm.ca.certificates import CertificateError, RootCA, create_root
from swarmsim.swarm.ca.external import AuthorityClient, SigningError, ask_to_sign
from swarmsim.swarm.ca.given import check_key, cross_sign, cross_signing_request, normalized, parse_root
from swarmsim.swarm.objects import Cluster

MIN_ROOT_LIFE = 365 * 24 * 3600.0  # seconds, minRootExpiration (cfssl's OneYear: 8,760 h)
DIAL_TIMEOUT = 5.0  # seconds, validateHasAtLeastOneExternalCA


class Findings(NamedTuple):
    """What asking around came to: roots (PEM) of which an authority was reached, and the next root, signed by the present one's."""

    reached: frozenset[str] = frozenset()
    next_root: RootCA | None = None
    cross_signed: str = ""


def needed(cluster: Cluster, request: UpdateClusterRequest) -> list[str]:
    """Roots (PEM) of which an external authority has to be there."""
    following = cluster.next_root
    wanted = [] if cluster.signs_itself else [cluster.root.pem]
    if following is not None and not (following.key or cluster.next_root_key):
        wanted.append(following.pem)
    if request.signing_ca_cert and not request.signing_ca_key:
        wanted.append(normalized(request.signing_ca_cert))
    return wanted


def ask_around(
    process: Process, scope: Scope, request: UpdateClusterRequest, cluster: Cluster, roots: Random
) -> Activity[Findings]:
    """Reach the authorities that are named, 5 s each, and have the next root signed, if the present one's key is not here."""
    wall, reached, wanted = process.host.wall, set[str](), needed(cluster, request)
    for each in request.spec.external_cas:
        pem = normalized(each.ca_cert) or cluster.root.pem
        if pem in reached or pem not in wanted:
            continue
        try:
            to, _ = where(process, each.url)
            client = AuthorityClient(wall, (pem,))
            socket = yield from connect(process, scope, to, client, DIAL_TIMEOUT)
        except HttpError:
            continue
        socket.close()
        reached.add(pem)
    if cluster.signs_itself or cluster.root.pem not in reached:
        return Findings(frozenset(reached))
    following, key = _following(cluster, request, roots, wall.now)
    if following is None or not (following.key or key):
        return Findings(frozenset(reached))
    urls = replace(cluster, spec=request.spec).authorities_of(cluster.root)
    body = cross_signing_request(following, key)
    try:
        cross_signed = yield from ask_to_sign(process, scope, urls, body, (cluster.root.pem,))
    except SigningError:
        cross_signed = ""
    return Findings(frozenset(reached), following, normalized(cross_signed))


def _following(cluster: Cluster, request: UpdateClusterRequest, roots: Random, now: float) -> tuple[RootCA | None, str]:
    """The root that will be rotated to, if one is, and its key in PEM, if that was given."""
    pem = normalized(request.signing_ca_cert)
    if not request.signing_ca_cert:
        forced = request.spec.force_rotate != cluster.last_forced_rotation
        return (create_root(roots, now) if forced else None), ""
    try:
        root = parse_root(request.signing_ca_cert, now)
        if request.signing_ca_key:
            check_key(root, request.signing_ca_key)
    except CertificateError:
        return None, ""
    known = (cluster.root.pem, *([cluster.next_root.pem] if cluster.next_root else []))
    return (None if pem in known else root), request.signing_ca_key


def desired(cluster: Cluster, request: UpdateClusterRequest, findings: Findings, roots: Random, now: float) -> Cluster:
    """The cluster with the root that is asked for (validateCAConfig); ``roots`` is where keys of new ones come from, ``now`` in seconds by the
    leader's clock. Raises :class:`RpcError`."""
    key, forced = request.signing_ca_key, request.spec.force_rotate
    if key and not request.signing_ca_cert:
        raise invalid_argument("if a signing CA key is provided, the signing CA cert must also be provided")
    pem = normalized(request.signing_ca_cert)
    if not cluster.signs_itself:
        if key and pem == cluster.root.pem:
            try:
                check_key(cluster.root, key)
            except CertificateError as error:
                raise RpcError("Unknown", str(error)) from None
            return _without_rotation(cluster, key, forced)
        _require(findings, cluster.root.pem, "current")
    if not request.signing_ca_cert:
        if forced != cluster.last_forced_rotation:
            return _begin(cluster, findings.next_root or create_root(roots, now), "", findings, forced)
        if cluster.next_root is not None and not (cluster.next_root.key or cluster.next_root_key):
            _require(findings, cluster.next_root.pem, "next")
        return cluster
    try:
        root = parse_root(request.signing_ca_cert, now)
        if key:
            check_key(root, key)
    except CertificateError as error:
        raise invalid_argument(str(error)) from None
    if root.not_after < now + MIN_ROOT_LIFE:
        raise invalid_argument("CA certificate expires too soon")
    if not key:
        _require(findings, pem, "desired")
    if pem == cluster.root.pem:
        return _without_rotation(cluster, key, forced)
    if cluster.next_root is not None and pem == cluster.next_root.pem:
        return replace(cluster, next_root_key=key, last_forced_rotation=forced)
    return _begin(cluster, root, key, findings, forced)


def _without_rotation(cluster: Cluster, key: str, forced: int) -> Cluster:
    return replace(
        cluster, root_key=key, next_root=None, next_root_key="", cross_signed="", last_forced_rotation=forced
    )


def _require(findings: Findings, pem: str, which: str) -> None:
    if pem not in findings.reached:
        raise invalid_argument(
            f"there must be at least one valid, reachable external CA corresponding to the {which} CA certificate"
        )


def _begin(cluster: Cluster, root: RootCA, key: str, findings: Findings, forced: int) -> Cluster:
    """From now on the new root signs, itself signed by the present one (newRootRotationObject)."""
    cross_signed = ""
    if not cluster.signs_itself:
        if not (root.key or key):
            raise invalid_argument("rotating from one external CA to a different external CA is not supported")
        cross_signed = findings.cross_signed
        if not cross_signed:
            raise RpcError("Internal", "unable to generate a cross-signed certificate for root rotation")
    elif root.given or cluster.root.given:
        cross_signed = cross_sign(root, cluster.root, cluster.root_key)
    return replace(cluster, next_root=root, next_root_key=key, cross_signed=cross_signed, last_forced_rotation=forced)
