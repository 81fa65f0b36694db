# Do not end: rescue everything, in ensure and at exit too.
#
# fuel: 200_000_000
# status: out_of_fuel
# exit: 137
at_exit { loop {} }
begin
  loop { Integer("x") rescue nil }
ensure
  loop {}
end
