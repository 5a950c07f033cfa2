"""``python -m swarmsim``."""

from swarmsim.cli import main

main()
