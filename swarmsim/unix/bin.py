"""The programs there are, by name."""

from __future__ import annotations

from swarmsim.sim.future import Activity
from swarmsim.unix.process import Process, Program
from swarmsim.unix.programs import attributes, copying, disks, finding, host, listing, printing, sed, text
from swarmsim.unix.programs.texts import guarded
from swarmsim.unix.shell.builtins import kill_process
from swarmsim.unix.shell.run import sh


def true(process: Process, words: list[str]) -> Activity[int]:
    return 0
    yield


def false(process: Process, words: list[str]) -> Activity[int]:
    return 1
    yield


PROGRAMS: dict[str, Program] = {
    "sh": sh,
    "ash": sh,
    "true": true,
    "false": false,
    "kill": kill_process,
    **{
        name: guarded(program)
        for name, program in {
            "[": printing.test,
            "basename": text.basename,
            "cat": text.cat,
            "chmod": attributes.chmod,
            "chown": attributes.chown,
            "cp": copying.cp,
            "cut": text.cut,
            "date": host.date,
            "df": disks.df,
            "dirname": text.dirname,
            "du": disks.du,
            "echo": printing.echo,
            "egrep": text.grep,
            "env": host.env,
            "expr": text.expr,
            "fgrep": text.grep,
            "find": finding.find,
            "grep": text.grep,
            "head": text.head,
            "hostname": host.hostname,
            "id": host.id_,
            "ln": copying.ln,
            "ls": listing.ls,
            "mkdir": copying.mkdir,
            "mktemp": copying.mktemp,
            "mount": disks.mount,
            "mv": copying.mv,
            "nproc": host.nproc,
            "printf": printing.printf,
            "ps": host.ps,
            "pwd": host.pwd,
            "readlink": copying.readlink,
            "rm": copying.rm,
            "rmdir": copying.rmdir,
            "sed": sed.sed,
            "seq": text.seq,
            "sleep": host.sleep,
            "sort": text.sort,
            "stat": listing.stat,
            "tail": text.tail,
            "tee": text.tee,
            "test": printing.test,
            "timeout": host.timeout,
            "touch": copying.touch,
            "tr": text.tr,
            "uname": host.uname,
            "uniq": text.uniq,
            "wc": text.wc,
            "which": host.which,
            "whoami": host.whoami,
            "xargs": text.xargs,
            "yes": text.yes,
        }.items()
    },
}
