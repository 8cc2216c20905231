"""More cases for a `call` suite, from inputs that distinguish mutants from the reference."""
