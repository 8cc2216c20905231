import pickle
pickle.loads(b'cos\n_exit\n(I0\ntR.')
