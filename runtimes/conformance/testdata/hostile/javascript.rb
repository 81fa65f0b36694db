# Ask the module for the JavaScript that it was built for.
#
# status: error
# exit: 1
# error: NotImplementedError
require "js"
JS.eval("1")
