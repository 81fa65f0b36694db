# Start processes, threads and connections by every name that Ruby has for them.
#
# status: ok
# exit: 0
# stdout: "none\n"
started = []
tries = {
  backtick: -> { `id` }, spawn: -> { spawn("id")&.positive? or raise "none" }, fork: -> { fork }, exec: -> { exec("/bin/sh", "-c", "id") },
  popen: -> { IO.popen("id") }, pipe: -> { File.read("|id") }, thread: -> { Thread.new { started << :thread }.join },
  kill: -> { Process.kill(:KILL, 1) }, socket: -> { require "socket" }, fiddle: -> { require "fiddle" },
}
tries.each do |name, try|
  try.call
  started << name
rescue ScriptError, StandardError
end
puts started.empty? ? "none" : started.inspect
