"""What runs inside a container: files, processes with pipes and signals, a POSIX shell, and the programs it calls.

:mod:`~swarmsim.unix.files` is a tree of files made of layers, :mod:`~swarmsim.unix.mounts` what a process sees of several of them,
:mod:`~swarmsim.unix.process` processes on the simulation's clock, :mod:`~swarmsim.unix.shell` the language, and
:mod:`~swarmsim.unix.programs` what is found in ``/bin``. The shell is busybox's ash as Debian's busybox 1.35 has it, since that can be asked; what a
script has and this room does not is refused with its name and line, before anything of it runs.
"""
