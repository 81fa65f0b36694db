# Bring an interpreter to the point from which every call starts. The value of this file
# is that of guest.rb, which runs programs.
#
# Run once, when the runtime is prepared. What is loaded and exercised here is in the
# image, so that a call gets it for nothing. The host captures memory when this has
# ended. Nothing here may draw numbers from Ruby's own generator: it is seeded when it
# is first used, which has to be in a call.
begin
  # The gems that come with Ruby are found like the library: RubyGems itself, which
  # would look for others, takes longer to start than most programs run.
  $LOAD_PATH.concat(Dir.glob("/usr/local/lib/ruby/gems/*/gems/*/lib").sort)

  # What programs load most.
  %w[
    base64 benchmark csv date delegate did_you_mean digest English erb fileutils forwardable
    json logger monitor open3 optparse ostruct pathname pp prettyprint psych securerandom
    set shellwords singleton stringio strscan tempfile time timeout tmpdir tsort yaml zlib
  ].each { |name| require name }

  Dir.chdir("/app")
  $stdout.sync = true # output appears when it is written, not when the program ends
  guest = RubyVM::InstructionSequence.compile(File.read("/.sandboxd/guest.rb"), "<internal:sandboxd>").eval

  # A program that takes the ways most programs take.
  rehearsal = <<~'RUBY'
    module Rehearsal
      Point = Struct.new(:x, :y) do
        def size = x * y
      end
      class Shape
        attr_reader :points
        include Comparable
        def initialize(*points, **named)
          @points, @named = points, named
        end
        def <=>(other) = points.size <=> other.points.size
        def to_s = "Shape(#{@points.size}, #{@named})"
      end
      def self.fibonacci(n) = n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
      shapes = (0...3).map { |i| Shape.new(Point.new(i, i / 2.0), kind: "k#{i}") }
      table = shapes.to_h { |s| [s.to_s.to_sym, s.points.sum(&:size).round(2)] }
      puts "hi", shapes.max, table.inspect, fibonacci(5), [3, 1, 2].sort.reverse.inspect
      p "the quick brown fox".split.map(&:capitalize).tally.sort_by { |k, v| [-v, k] }.first(2)
      puts JSON.pretty_generate({ a: [1, 2.5, nil, true], b: JSON.parse('{"c": "d"}') })
      puts "a-1 b-22".scan(/(\w+)-(\d+)/).inspect, "x".gsub(/x/) { |m| m * 2 }, format("%.3f %05d", Math::PI, 7)
      puts Time.at(0).utc.iso8601, (Date.new(2024, 2, 29) + 1).to_s
      File.write("rehearsal.txt", "one\ntwo\n")
      puts File.readlines("rehearsal.txt", chomp: true).inspect, Dir.children(".").inspect
      File.delete("rehearsal.txt")
      begin
        {}.fetch(:missing)
      rescue KeyError => error
        warn error.message
      ensure
        catch(:done) { throw :done }
      end
    end
  RUBY
  failing = "module Rehearsal\n  def self.f(n) = 1 / n\n  f(0)\nend\n"
  4.times do
    [rehearsal, failing, "puts 'unclosed\n", "nothing\n", "at_exit { exit 3 }\n", "puts 'hi'\n", ""].each do |program|
      guest.execute("rehearsal.rb", program)
      Object.send(:remove_const, :Rehearsal) if defined?(Rehearsal)
    end
  end

  # What most profiles declare: then there is nothing to change.
  ENV.replace("LANG" => "C.UTF-8")
  $0 = "main.rb"
  guest.settle
  File.write("/.sandboxd/checkpoint", "ready")
  GC.start
  guest
rescue Exception => error
  $stderr.write(error.full_message(highlight: false))
  raise
end
