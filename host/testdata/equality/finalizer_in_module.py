import helper

helper.kept = helper.Loud("kept by the module")
mine = helper.Loud("mine")
print("end")
