# Ask for more memory than there can be, and carry on when that is refused.
#
# memory: 32MiB
# status: error
# exit: 1
# error: RuntimeError
# stdout: "refused\n"
begin
  "x" * 2_000_000_000
rescue NoMemoryError, ArgumentError
  puts "refused"
end
raise "of something else"
