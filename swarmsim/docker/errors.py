"""How a command ends that cannot do what it was asked."""

from __future__ import annotations

from swarmsim.sim.errors import ModelError


class CommandError(ModelError):
    """The command ends with this message on stderr and this exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class NotModelled(CommandError):
    """Docker has ``what``, the model does not yet."""

    def __init__(self, what: str) -> None:
        super().__init__(f"swarmsim: {what} is real, but not modelled yet")


class ExitCode(CommandError):
    """The command ends with the exit code of what it ran, which has said all there is to say."""

    def __init__(self, code: int) -> None:
        super().__init__("", code)
