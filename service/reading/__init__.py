"""Bodies and packages are read in processes of their own, so that none stops the one that serves HTTP."""
