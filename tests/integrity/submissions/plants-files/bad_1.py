open('conftest.py', 'w').write('')
