# Run one program: the guest's half of host/ruby.go. The value of this file is the object
# whose method run the host calls in every call.
#
# The file's name begins with "<internal:", so that Ruby shows its frames to nobody who
# looks at the stack from above them. Programs run in the same interpreter and may change
# any class: then it is their own errors that are shown badly.
Class.new do
  def initialize
    @handlers = handlers = []
    # Handlers of the interpreter's own at_exit run when it is torn down, which it is not.
    at_exit = proc do |&block|
      raise ArgumentError, "called without block" unless block
      handlers.push(block)
      block
    end
    Kernel.define_method(:at_exit, &at_exit)
    Kernel.define_singleton_method(:at_exit, &at_exit)
    Kernel.send(:private, :at_exit)
  end

  # Runs the program of the request. Does not return.
  def run
    name, args, env, code = read_request
    ENV.replace(env) unless ENV.to_h == env
    ARGV.replace(args)
    status = execute(name, code) & 0xFF
    report("exit", "the program ended with exit code #{status}", 0) if status != 0 && !@failed
  ensure
    Process.exit!(status || 1)
  end

  # Runs a program and what it wants done at its end. Returns the exit code.
  def execute(name, code)
    @name = name.empty? ? "-e" : name
    $0 = @name unless $0 == @name
    begin
      compile(code).eval
      finish(0)
    rescue SystemExit => error
      finish(error.status)
    rescue Exception => error
      finish(failed(error)) # $! is what handlers look at
    end
  end

  # Leaves nothing of a rehearsal behind.
  def settle
    @handlers.clear
    @name = @failed = nil
    ARGV.clear
  end

  private

  def read_request
    request = File.binread("/.sandboxd/request")
    size = request.unpack1("N")
    head = request.byteslice(4, size).force_encoding(Encoding::UTF_8)
    code = request.byteslice(4 + size..).force_encoding(Encoding::UTF_8)
    name, count, *texts = head.split("\0", -1)
    texts.pop # what follows the last zero byte
    args = texts.shift(count.to_i)
    [name, args, texts.each_slice(2).to_h, code]
  end

  # Compiles a program as the file that it is called, in /app.
  def compile(code)
    if (at = code.b =~ /^__END__\r?$\n?/n)
      Object.const_set(:DATA, StringIO.new(code.byteslice(at + $~[0].bytesize..)))
    end
    RubyVM::InstructionSequence.compile(code, @name, File.expand_path(@name, "/app"), 1)
  end

  # Calls the handlers of at_exit, the last one first.
  def finish(status)
    while (handler = @handlers.pop)
      begin
        handler.call
      rescue SystemExit => error
        status = error.status
      rescue Exception => error
        status = failed(error)
      end
    end
    begin
      $stdout.flush
    rescue IOError, SystemCallError
      # A program that closed its output has nothing left to say.
    end
    status
  end

  # Shows an exception that nobody rescued, and tells the host. Returns the exit code.
  def failed(error)
    @failed = true
    report(error.class.to_s, message_of(error), line_of(error))
    text = error.full_message(highlight: false, order: :top).scrub
    text = text.gsub(/^\tfrom <internal:sandboxd>.*\n/, "").gsub(/^<internal:sandboxd>:\d+:in '[^']*': /, "")
    $stderr.write(text.gsub("'<compiled>'", "'<main>'"))
    1
  rescue Exception
    report(error.class.to_s, "", 0) # what programs can make of a message, such as one that fails
    1
  end

  def report(type, message, line)
    File.write("/.sandboxd/report", JSON.generate({ type:, message:, line: }))
  end

  def message_of(error)
    error.message.to_s.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub[0, 4096]
  end

  # The line of the program that failed, or called what failed.
  def line_of(error)
    if error.is_a?(SyntaxError) && error.path == @name
      return error.message[/:(\d+):/, 1].to_i
    end
    error.backtrace_locations&.find { |place| place.path == @name }&.lineno || 0
  end
end.new
