from unittest import mock
mock.patch('json.loads', lambda x: 1).start()
