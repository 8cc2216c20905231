import site
open(site.getusersitepackages() + '/x.pth', 'w').write('import os')
