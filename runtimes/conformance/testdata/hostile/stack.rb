# Use up the stack, and carry on.
#
# status: ok
# exit: 0
# stdout: "SystemStackError\nalive\n"
def deep(n) = deep(n + 1)
begin
  deep(0)
rescue SystemStackError => error
  puts error.class
end
puts "alive"
