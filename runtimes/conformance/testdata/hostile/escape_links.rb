# Read, list and write through links that lead out of the workspace.
#
# status: ok
# exit: 0
# stdout: "out\n"
# created: /app/mine
found = []
%w[link_relative link_absolute link_directory/canary.txt link_root/etc/passwd link_proc/environ ../outside/canary.txt /proc/self/mem].each do |name|
  found << File.read(name)
rescue SystemCallError
end
begin
  File.symlink("/", "way_out")
  found << "a link"
rescue SystemCallError, NotImplementedError
end
begin
  File.write("link_directory/made", "x")
  found << "a file"
rescue SystemCallError
end
begin
  File.write("/data/table.csv", "x")
  found << "a change"
rescue SystemCallError
end
File.write("mine", "x")
puts found.empty? ? "out" : found
