import threading
threading.setprofile(print)
