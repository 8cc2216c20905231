import os
O_BINARY = getattr(os, 'O_BINARY', 0)
