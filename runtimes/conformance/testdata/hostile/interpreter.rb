# Spoil the classes that the end of a program goes through.
#
# status: error
# exit: 1
# stderr cap: 10KB
class String
  def join(*) = raise("no")
  def scrub(*) = exit!(1)
end
class Exception
  def full_message(*) = raise("no")
  def backtrace_locations = raise("no")
end
raise "x"
