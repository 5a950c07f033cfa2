"""The version of swarmsim, in one place."""

VERSION = "0.1.0"
