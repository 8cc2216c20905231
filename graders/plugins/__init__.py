"""Finds graders, checks what they report, and tests them."""
