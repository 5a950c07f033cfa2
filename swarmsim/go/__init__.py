"""What docker's client gets from Go: its standard library's words and numbers, and a few packages everybody uses.

A room without rooms below it: plain functions from text to values and back, each named after what it follows.

===================================  ==============================================================================
:mod:`~swarmsim.go.strconv`          numbers and booleans from text, quoted strings
:mod:`~swarmsim.go.duration`         ``time.Duration`` and time stamps
:mod:`~swarmsim.go.units`            docker/go-units: sizes and spans of time for people
:mod:`~swarmsim.go.pflag`            spf13/pflag: words to flags and arguments
:mod:`~swarmsim.go.tabwriter`        ``text/tabwriter``: columns
:mod:`~swarmsim.go.fmt`              Printf, and how any value is shown
:mod:`~swarmsim.go.json`             encoding/json
:mod:`~swarmsim.go.template`         ``text/template``
:mod:`~swarmsim.go.reflect`          how Go sees the values of Python
===================================  ==============================================================================

What it does is held against the real client's answers, in tests/go.
"""
