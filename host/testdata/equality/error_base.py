class Own(BaseException):
    pass


raise Own("x", 1)
