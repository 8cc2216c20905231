import json
json.dumps.__code__ = (lambda *a, **k: '1').__code__
