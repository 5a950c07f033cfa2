"""The docker command line as people type it (docker/cli 28.2 against API 1.41).

:mod:`~swarmsim.docker.grammar` is the table of commands and flags, :mod:`~swarmsim.go.pflag` reads words
by pflag's rules, and the command modules turn the Engine API's bodies into what docker prints. The one
door is :func:`~swarmsim.docker.client.run_docker`.
"""
