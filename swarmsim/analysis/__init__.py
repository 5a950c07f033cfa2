"""Studying traces: milestones, ensembles, plots, and simulated runs held against recorded ones."""
