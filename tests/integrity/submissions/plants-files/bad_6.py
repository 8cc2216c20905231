import os
for n in ('python3', 'pytest'):
    p = '/tmp/bin/' + n
    open(p, 'w').write('#!/bin/sh')
    os.chmod(p, 0o755)
