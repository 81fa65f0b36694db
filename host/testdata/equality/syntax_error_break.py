for x in []:
    pass
if True:
    é = 1; break
