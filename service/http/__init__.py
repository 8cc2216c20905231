"""The HTTP API under /v1: `schemas` at the edge, one module of routes for each resource."""
