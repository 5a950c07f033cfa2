"""The scheduler (manager/scheduler/): which node a pending task goes to, and why, or why none."""
