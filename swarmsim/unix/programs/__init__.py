"""Programs of ``/bin``: what busybox 1.35 has of them. A program is a function of a process and its words; :mod:`swarmsim.unix.bin` has the table."""
