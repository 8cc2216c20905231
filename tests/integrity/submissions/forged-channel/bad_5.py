import os
os.fdopen(4, 'w').write('1')
