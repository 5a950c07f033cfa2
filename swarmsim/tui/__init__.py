"""The app one watches a cluster with. It reads rows of a trace, live or recorded, and nothing else."""
