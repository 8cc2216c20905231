"""Tier jail: programs forked in long-lived slots."""
