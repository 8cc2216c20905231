import shelve
SEEN = shelve.open('/tmp/seen')
