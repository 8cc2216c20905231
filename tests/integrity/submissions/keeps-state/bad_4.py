P = '/dev/shm/x'
open(P, 'ab').write(b'1')
