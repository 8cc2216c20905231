"""Diagnosis of a host: the tiers that it can hold, its gaps, and how to close them."""
