import os
N = os.environ.get('NONCE')
