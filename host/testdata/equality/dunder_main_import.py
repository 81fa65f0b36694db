import __main__

import helper

x = 5
print(__main__.x, __main__.__dict__ is globals(), helper.value, helper.__name__, helper.__file__)
