"""The swarm's certificate authority (ca/): its roots, the certificates of its nodes and how they are renewed, rotations of the root, join tokens,
and authorities outside the swarm that sign in its place."""
