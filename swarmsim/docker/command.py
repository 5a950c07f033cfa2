"""What every docker command here is given: the API of its host, its flags, a place to print."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from swarmsim.apitypes.base import ApiType
from swarmsim.apitypes.filters import Filters
from swarmsim.apitypes.http import ApiError, Stream
from swarmsim.docker.apiclient import ApiClient
from swarmsim.docker.errors import CommandError
from swarmsim.docker.files import Files
from swarmsim.docker.output import Inspection
from swarmsim.go.duration import parse_timestamp
from swarmsim.go.pflag import Flags
from swarmsim.go.template import TemplateError
from swarmsim.go.units import human_duration
from swarmsim.sim.future import Activity, AnyFuture, Future, T

Write = Callable[[str, str, str], object]
"""``write("out" | "err", text, drawn)``: what is printed as a pipe has it, and as a terminal draws it."""


class Machine(Protocol):
    """What the machine that docker runs on gives it: a clock, and chance."""

    @property
    def now(self) -> datetime: ...

    def first_of(self, futures: list[AnyFuture], seconds: float | None = None) -> Future[object]:
        """Happens with the first of ``futures``, or when the seconds are over."""

    def shuffle(self, items: list[str]) -> None:
        """Put items into the order of a Go map."""


def _heeded(_: object) -> None:
    """Who asks whether anybody minds an interrupt finds this."""


class CommandContext:
    """One invocation of docker on one host."""

    def __init__(
        self,
        api: ApiClient,
        machine: Machine,
        flags: Flags,
        arguments: list[str],
        write: Write,
        files: Files,
        interrupt: Future[None] | None = None,
    ) -> None:
        self.api = api
        self.machine = machine
        self.flags = flags
        self.arguments = arguments
        self.files = files
        self.interrupt = interrupt
        self._write = write

    @property
    def now(self) -> datetime:
        return self.machine.now

    def out(self, text: str, drawn: str | None = None) -> None:
        """``drawn`` is what a terminal has instead, if it is not the same."""
        drawn = text if drawn is None else drawn
        if text or drawn:
            self._write("out", text, drawn)

    def err(self, text: str) -> None:
        if text:
            self._write("err", text, text)

    def warn(self, warnings: list[str]) -> None:
        self.err("".join(f"{warning}\n" for warning in warnings))

    def ago(self, timestamp: str) -> str:
        """``2 minutes`` since an API time stamp."""
        return human_duration((self.now - parse_timestamp(timestamp)).total_seconds())

    def pause(self, seconds: float) -> Activity[bool]:
        """Let time pass; whether Ctrl-C was pressed meanwhile. A command that pauses so ends in its own way."""
        if self.interrupt is None:
            yield seconds
            return False
        self._heed(self.interrupt)
        yield from self.machine.first_of([self.interrupt], seconds)
        return self.interrupt.triggered

    @staticmethod
    def _heed(interrupt: Future[None]) -> None:
        """From now on Ctrl-C is the command's to answer, also when it is pressed while the daemon is asked."""
        if interrupt.callbacks is not None and _heeded not in interrupt.callbacks:
            interrupt.callbacks.append(_heeded)

    def read(self, stream: Stream[T]) -> Activity[T | None]:
        """The next piece of a body; ``None`` at its end, or when Ctrl-C was pressed."""
        piece = stream.read()
        if self.interrupt is None:
            return (yield from piece)
        yield from self.machine.first_of([self.interrupt, piece])
        if piece.triggered:
            return piece.value
        stream.close()
        return None

    def each(self, references: list[str], action: Callable[[str], Activity[None]]) -> Activity[None]:
        """Do ``action`` for every reference; all errors are reported at the end, one a line."""
        errors = []
        for reference in references:
            try:
                yield from action(reference)
            except (ApiError, CommandError) as error:
                errors.append(error_text(error))
        if errors:
            raise CommandError("\n".join(errors))

    def inspect(
        self,
        look: Callable[[str], Activity[dict[str, Any]]],
        complaint: Callable[[str, ApiError], str],
        kind: type[ApiType],
        pretty: Callable[[dict[str, Any]], str],
        raw: bool = False,
        bad_format: int = 1,
    ) -> Activity[None]:
        """``inspect`` of every argument: what is found is shown, what is not is complained of at the end.

        ``raw`` says whether the daemon's JSON is kept beside the typed value, ``bad_format`` is the exit code after a
        template that cannot be read.
        """
        found: list[dict[str, Any]] = []
        errors = []
        inspection = self.inspection(bad_format)
        for reference in self.arguments:
            try:
                found.append((yield from look(reference)))
            except ApiError as error:
                errors.append(complaint(reference, error))
                continue
            if not self.flags.on("pretty"):
                errors += added(inspection, kind, found[-1], raw)
        self.out("".join(pretty(body) for body in found) if self.flags.on("pretty") else inspection.text())
        if errors:
            raise CommandError("\n".join(errors))

    def inspection(self, bad_format: int = 64) -> Inspection:
        """What ``--format`` asks for. Raises :class:`CommandError` with that code for a template that cannot be read."""
        try:
            return Inspection(self.flags.get("format", ""))
        except TemplateError as problem:
            raise CommandError(f"template parsing error: {problem}", bad_format) from None

    def filters(self) -> Filters:
        """What ``--filter`` asks for; whether it can be asked is the daemon's to say."""
        return Filters(self.flags.every("filter"))

    def render(self, make: Callable[[], str]) -> None:
        """Print what ``make`` returns; a bad template is docker's own complaint."""
        try:
            self.out(make())
        except TemplateError as problem:
            raise CommandError(f"template parsing error: {problem}") from None


def added(inspection: Inspection, kind: type[ApiType], body: dict[str, Any], raw: bool) -> list[str]:
    """Take one more thing into what is shown; what its template has against that."""
    try:
        inspection.add(kind, body, raw)
    except TemplateError as problem:
        return [f"template parsing error: {problem}"]
    return []


def error_text(error: Any) -> str:
    """An error as docker prints it."""
    if isinstance(error, ApiError):
        return f"Error response from daemon: {error.message}"
    return str(error.message)


def key_values(texts: list[str]) -> dict[str, str]:
    """``key=value`` texts as a mapping."""
    return {key: value for key, _, value in (text.partition("=") for text in texts)}


def joined(labels: dict[str, str] | None) -> str:
    """Labels as lists show them: ``a=b,c=d``."""
    return ",".join(f"{key}={value}" for key, value in (labels or {}).items())
