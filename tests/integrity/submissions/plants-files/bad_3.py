import os
os.symlink('/tmp/forged.xml', 'out.xml')
