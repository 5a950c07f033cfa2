"""The agent (moby/swarmkit agent/): a node's session with the dispatcher, and the tasks it was given."""
