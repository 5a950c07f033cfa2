"""What a shell is in the middle of a script: its variables, options, traps and jobs.

Expansions and builtins see and change it; :mod:`~swarmsim.unix.shell.run` is the shell that does what the script says.
"""

from __future__ import annotations

from swarmsim.sim.future import Activity, Future
from swarmsim.unix.process import Process
from swarmsim.unix.shell.errors import ShellError
from swarmsim.unix.shell.syntax import Command, Script

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Variable:
    __slots__ = ("exported", "readonly", "value")

    def __init__(self, value: str | None, *, exported: bool = False, readonly: bool = False) -> None:
        self.value = value
        self.exported = exported
        self.readonly = readonly

    def copy(self) -> Variable:
        return Variable(self.value, exported=self.exported, readonly=self.readonly)


class Shell:
    """``name`` is ``$0``; ``options`` are letters of ``set``; ``traps`` commands by signal, ``EXIT`` among them."""

    def __init__(self, process: Process, name: str, parameters: list[str]) -> None:
        self.process = process
        self.name = name
        self.parameters = parameters
        self.variables = {key: Variable(value, exported=True) for key, value in process.env.items()}
        for key, value in (("IFS", " \t\n"), ("OPTIND", "1"), ("PPID", "0"), ("PS4", "+ ")):
            self.variables[key] = Variable(value)
        self.variables.setdefault("PATH", Variable(PATH))
        self.variables["PWD"] = Variable(process.cwd, exported=True)
        self.functions: dict[str, Command] = {}
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.reads_words = False
        """Whether the script stood behind ``-c``."""
        self.status = 0
        self.substituted = 0
        """The status of the last command substitution: that of a command without words."""
        self.jobs: list[Process] = []
        """Started with ``&`` and not waited for yet."""
        self.last_job = 0
        self.pid = process.pid
        """``$$``: that of the first shell, in subshells too."""
        self.calls: list[dict[str, Variable | None]] = []
        """For each function that runs, the variables it has made its own, as they were."""
        self.loops = 0
        self.line = 0
        """Of the command that runs, from 0: as ash tells it in errors of builtins."""
        self._pending: list[str] = []
        """Signals that have come and not been heeded."""
        self._alarm: Future[None] | None = None

    # -- variables

    def value(self, name: str) -> str | None:
        variable = self.variables.get(name)
        return variable.value if variable is not None else None

    def arithmetic_value(self, name: str) -> str | None:
        value = self.value(name)
        if value is None and "u" in self.options:
            raise ShellError(f"{name}: parameter not set")
        return value

    def assign(self, name: str, value: str) -> None:
        """Raises :class:`ShellError` if it is read only."""
        variable = self.variables.get(name)
        if variable is None:
            self.variables[name] = Variable(value, exported="a" in self.options)
        elif variable.readonly:
            raise ShellError(f"{name}: is read only")
        else:
            variable.value = value

    def parameter(self, name: str) -> str | None:
        """Of a special or positional parameter, or of a variable."""
        if name.isdigit():
            index = int(name)
            if index == 0:
                return self.name
            return self.parameters[index - 1] if index <= len(self.parameters) else None
        match name:
            case "@" | "*":
                return " ".join(self.parameters)
            case "#":
                return str(len(self.parameters))
            case "?":
                return str(self.status)
            case "$":
                return str(self.pid)
            case "!":
                return str(self.last_job) if self.last_job else None
            case "-":
                return "".join(sorted(self.options | ({"c"} if self.reads_words else set())))
            case "RANDOM" if name not in self.variables:
                return str(self.process.system.rng.randrange(32768))
            case "LINENO":
                return str(self.line + 1)
        return self.value(name)

    def home_of(self, user: str) -> str | None:
        """From ``/etc/passwd``."""
        try:
            text = self.process.system.files.read("/etc/passwd").decode(errors="replace")
        except OSError:
            return None
        entries = (line.split(":") for line in text.splitlines())
        return next((entry[5] for entry in entries if len(entry) > 5 and entry[0] == user), None)

    @property
    def environment(self) -> dict[str, str]:
        """What programs get, in the order of ash's hash table."""
        return {
            name: variable.value
            for name, variable in sorted(self.variables.items(), key=lambda item: _bucket(item[0]))
            if variable.exported and variable.value is not None
        }

    # -- what is said

    def complain(self, words: str, command: str = "") -> Activity[None]:
        """As ash does: with the line where a builtin is at fault."""
        inner = f"{command}: line {self.line}: " if command else ""
        yield from self.process.say(f"{self.name}: {inner}{words}\n")

    # -- signals

    def trap(self, signal: str, action: str | None) -> None:
        """``None``: as if there had never been one."""
        if action is None:
            self.traps.pop(signal, None)
            self.process.handlers.pop(signal, None)
            return
        self.traps[signal] = action
        if signal != "EXIT":
            self.process.handlers[signal] = self._arrived if action else None

    def _arrived(self, signal: str) -> None:
        self._pending.append(signal)
        if self._alarm is not None:
            alarm, self._alarm = self._alarm, None
            alarm.succeed()

    @property
    def alarm(self) -> Future[None]:
        """Happens when a signal has come."""
        if self._alarm is None:
            self._alarm = self.process.system.clock.future()
            if self._pending:
                alarm, self._alarm = self._alarm, None
                alarm.succeed()
                return alarm
        return self._alarm

    @property
    def is_called(self) -> str:
        """The first signal that has come and not been heeded."""
        return self._pending[0] if self._pending else ""

    def wait_for(self, child: Process) -> Activity[int]:
        """Until it has ended; its status."""
        status = yield from child.ended
        if child.signalled and child.signalled not in ("INT", "PIPE"):
            yield from self.process.say(f"{DEATHS.get(child.signalled, child.signalled)}\n")
        return status

    # -- what it does, asked by expansions and builtins

    def copy(self, process: Process) -> Shell:
        """A subshell, in a child of the process."""
        raise NotImplementedError

    def run_text(self, text: str, *, last: bool = False) -> Activity[None]:
        """Line by line. Raises :class:`ShellError` at a mistake in the syntax."""
        raise NotImplementedError

    def substitute(self, body: Script) -> Activity[str]:
        """What a script prints, without the newlines at its end."""
        raise NotImplementedError

    def execute(self, words: list[str]) -> Activity[int]:
        """Become a program."""
        raise NotImplementedError


DEATHS = {
    "HUP": "Hangup",
    "KILL": "Killed",
    "TERM": "Terminated",
    "QUIT": "Quit",
    "ABRT": "Aborted",
    "SEGV": "Segmentation fault",
    "USR1": "User defined signal 1",
    "USR2": "User defined signal 2",
    "ALRM": "Alarm clock",
}


def _bucket(name: str) -> int:
    """Where ash keeps a variable (hashvar of its source).

    >>> sorted(["PATH", "HOME", "SHLVL", "HOSTNAME"], key=_bucket)
    ['HOSTNAME', 'SHLVL', 'HOME', 'PATH']
    """
    return ((ord(name[0]) << 4) + sum(map(ord, name))) % 39
