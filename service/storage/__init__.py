"""Storage: `interface` has its records and errors; `tasks`, `runs`, `reviews` and `access` each a port and its SQL class."""
