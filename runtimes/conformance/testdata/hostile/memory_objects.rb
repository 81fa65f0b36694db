# Fill the heap with small objects, rescuing all that is raised.
#
# memory: 32MiB
# status: out_of_memory
# exit: 137
# stderr cap: 1KB
kept = []
begin
  loop { kept << [kept.size.to_s] }
rescue Exception
  retry
end
