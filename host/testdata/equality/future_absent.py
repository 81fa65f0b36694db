try:
    def f(x: undefined_name):
        pass
except NameError as e:
    print(e)
