"""More cases for a `call` suite, from inputs that tell mutants of the reference apart."""
