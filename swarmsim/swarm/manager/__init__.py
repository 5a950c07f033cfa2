"""A manager (moby/swarmkit manager/): a Raft member, and on the leader everything that runs a swarm."""
