"""When a node asks for its next certificate (ca/renewer.go TLSRenewer).

It does so at a minute drawn from 50 to 80 % of the validity, drawn again on every turn, a failed one too: late in the window the drawn
minute is mostly past, and one attempt follows the other. Only an expired certificate, or one that was asked for on request and has not come,
is waited for with pauses that double.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from swarmsim.sim.clock import Timer
from swarmsim.sim.future import Activity, Future
from swarmsim.sim.net.status import RpcError
from swarmsim.sim.scope import Scope
from swarmsim.sim.wallclock import WallClock
from swarmsim.swarm.ca.certificates import Certificate, CertificateError, until_renewal
from swarmsim.swarm.role import Role

REQUEST_PAUSE = 0.5  # seconds, renewer.go Start: for the authority to learn of the new role
BACKOFF_BASE, BACKOFF_FACTOR, BACKOFF_MAX = 5.0, 5.0, 3600.0  # seconds, RenewTLSExponentialBackoff


class Renewer:
    """``current()`` is the certificate there is, ``renew()`` gets the next one or raises :class:`RpcError` or :class:`CertificateError`.

    ``on_renewed`` is given each new one, if it is for the ``expected_role``, should one be expected; ``on_drawn`` the simulated second at which the
    next is asked for, whenever that is drawn and not past.
    """

    def __init__(
        self,
        scope: Scope,
        rng: Random,
        wall: WallClock,
        current: Callable[[], Certificate],
        renew: Callable[[], Activity[Certificate]],
        on_renewed: Callable[[Certificate], object],
        on_drawn: Callable[[float], object],
    ) -> None:
        self.scope = scope
        self._rng = rng
        self._wall = wall
        self._current = current
        self._renew = renew
        self._on_renewed = on_renewed
        self._on_drawn = on_drawn
        self.expected_role: Role | None = None
        self._failures = 0
        self._requested = False
        self._waiting: tuple[Future[None], Timer] | None = None
        scope.spawn(self._run())

    def request(self) -> None:
        """Ask for another certificate now."""
        self._requested = True
        if self._waiting is not None:
            (turn, timer), self._waiting = self._waiting, None
            timer.cancel()
            turn.succeed()

    def _run(self) -> Activity[None]:
        urgent = False
        while True:
            certificate = self._current()
            if not self._requested:
                if urgent or self._wall.now > certificate.not_after:
                    pause = self._backoff()
                else:
                    pause = until_renewal(certificate, self._wall.now, self._rng)
                    if pause > 0:
                        self._on_drawn(self.scope.clock.now + pause)
                yield self._turn(pause)
            if self._requested:
                self._requested = False
                urgent = True
                yield REQUEST_PAUSE
            try:
                renewed = yield from self._renew()
            except (RpcError, CertificateError):
                self._failures += 1
                continue
            if self.expected_role is not None and renewed.role is not self.expected_role:
                self._failures += 1
                continue
            self._failures, urgent = 0, False
            self._on_renewed(renewed)

    def _turn(self, pause: float) -> Future[None]:
        """Happens in ``pause`` seconds, or when another certificate is asked for."""
        turn: Future[None] = self.scope.clock.future()
        self._waiting = (turn, self.scope.after(pause, self._due))
        return turn

    def _due(self) -> None:
        if self._waiting is not None:
            (turn, _), self._waiting = self._waiting, None
            turn.succeed()

    def _backoff(self) -> float:
        """Evenly from nothing to 5 s + 5 s · 2ⁿ⁻¹ after n failures, an hour at most; nothing after none (go-events, ExponentialBackoff)."""
        if self._failures == 0:
            return 0.0
        return self._rng.random() * min(BACKOFF_BASE + BACKOFF_FACTOR * 2.0 ** (self._failures - 1), BACKOFF_MAX)
