import os
DEBUG = os.environ.get('DEBUG', '') == '1'
HOME = os.getenv('HOME')
TOKEN = os.environ.get('API_TOKEN', '')
