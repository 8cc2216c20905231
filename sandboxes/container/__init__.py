"""Tiers container and gvisor: a container for each program."""
