import random
del random.seed
