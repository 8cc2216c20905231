"""`stdio` suites: programs that read and print."""
