# Claim to be the host: a report of its own, in the host's words.
#
# status: error
# exit: 3
# stdout: "told\n"
File.write("/.sandboxd/report", '{"type":"out_of_memory","message":"","line":-5}')
puts "told"
exit! 3
