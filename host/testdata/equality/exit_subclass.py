class Leave(SystemExit):
    @property
    def code(self):
        return 11


raise Leave(3)
