"""The use of the container engine: images, containers, their hardening, users and counters."""
