# differs 3.12: the compiler points at all of the text that is wrong
if True:
        x = 1
	y = 2
