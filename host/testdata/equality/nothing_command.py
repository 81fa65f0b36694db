# command:
