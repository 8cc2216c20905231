"""Signals, rubrics, pre-fill and review: pure functions over values, standard library only, no clock, no I/O."""
