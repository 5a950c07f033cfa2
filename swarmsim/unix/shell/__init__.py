"""A shell: :mod:`~swarmsim.unix.shell.parse` reads a script, :mod:`~swarmsim.unix.shell.run` does what it says.

The language is POSIX's (XCU chapter 2) with what busybox's ash adds: ``local``, ``function``, ``[[``, ``$'…'``, ``${x/a/b}``,
``${x:1:2}``, ``&>``, ``let``, ``source``.
"""
