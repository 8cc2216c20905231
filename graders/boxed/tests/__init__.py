"""Runs pytest and Hypothesis, and what warms them up before the forks."""
