import threading, os
threading.Timer(0.1, os._exit, [0]).start()
