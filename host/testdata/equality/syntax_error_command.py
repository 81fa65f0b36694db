# command:
x = = 2
