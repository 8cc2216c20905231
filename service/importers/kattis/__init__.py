"""Problem packages of Kattis."""
