"""Runs pytest and Hypothesis, and warms them up before the forks."""
