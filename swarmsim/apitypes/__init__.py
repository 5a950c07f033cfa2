"""The Engine API's objects and messages (moby api/types): what a client and a daemon have in common.

Both ``docker/`` and ``engine/`` import this room, and it imports neither. Each type is told once, as a record whose
fields carry the API's names in the order Go's structs have them; how it is written as JSON, what is left out when it is
zero and what a ``--format`` template can ask for all follow from that (:mod:`swarmsim.apitypes.base`).
"""
