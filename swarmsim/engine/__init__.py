"""One host's Docker engine (moby daemon): containers, images, the swarm executor and the Engine API.

:class:`~swarmsim.engine.engine.Engine` is the daemon on one host; :mod:`~swarmsim.engine.api` turns what
it holds into the JSON bodies of the Engine API, which is all that ``docker/`` sees.
"""
