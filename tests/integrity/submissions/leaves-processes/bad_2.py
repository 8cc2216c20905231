import subprocess
subprocess.Popen(['sleep', '9'], start_new_session=True)
