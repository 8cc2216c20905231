import re
P = re.compile(r'[a-z]+')
