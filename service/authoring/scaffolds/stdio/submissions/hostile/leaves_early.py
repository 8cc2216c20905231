# Ends with success and prints nothing: an exit code decides nothing here.
import os

os._exit(0)
