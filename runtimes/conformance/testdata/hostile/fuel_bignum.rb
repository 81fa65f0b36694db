# Work that is one instruction of Ruby's.
#
# fuel: 200_000_000
# status: out_of_fuel
# exit: 137
7**7**8
("a" * 30).match?(/(a|a)*(a|a)*(a|a)*b\1/)
loop { 7**200_000 }
