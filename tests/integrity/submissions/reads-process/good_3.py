def cpus():
    with open('/proc/cpuinfo') as file:
        return file.read().count('processor')
