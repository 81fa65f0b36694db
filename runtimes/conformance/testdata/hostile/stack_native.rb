# Use up the stack of C functions, which do not look how much of it is left.
#
# status: error
# exit: 134
# error: trap
nested = []
100_000.times { nested = [nested] }
nested.inspect
