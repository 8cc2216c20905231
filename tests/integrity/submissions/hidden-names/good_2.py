class A:
    def run(self, name):
        return getattr(self, 'do_' + name)()
