import json as j
j.dumps, j.loads = (lambda *a, **k: '{}'), None
