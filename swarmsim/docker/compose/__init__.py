"""Compose files: read, checked, merged and turned into services (docker/cli cli/compose)."""
