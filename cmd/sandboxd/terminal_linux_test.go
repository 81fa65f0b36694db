package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// cmdTerminal runs a command that finds a terminal in $TTY, with the text of a file typed
// into it, and leaves what was shown there in the file "screen":
//
//	terminal typed sh -c 'sandboxd run -c 1 2>$TTY'
//	grep 'ok' screen
//
// It is there because ttyin and ttyout lose the last lines on a busy machine: they close
// the terminal when the command has ended, and not when all was read.
func cmdTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] terminal typed command [args...]")
	}
	control, terminal, err := openTerminal()
	ts.Check(err)
	defer control.Close() //nolint:errcheck // all was read
	shown := make(chan string)
	go func() {
		var all strings.Builder
		_, _ = io.Copy(&all, control) // until nobody has the terminal open any more
		shown <- all.String()
	}()
	_, err = control.WriteString(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Setenv("TTY", terminal.Name())
	err = ts.Exec(args[1], args[2:]...)
	ts.Check(terminal.Close())
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(<-shown), 0o600))
	if (err == nil) == neg {
		ts.Fatalf("the command ended with %v", err)
	}
}

// openTerminal returns both ends of a new terminal: what is written to the first is typed
// into the second.
func openTerminal() (control, terminal *os.File, err error) {
	control, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(control.Fd()) //nolint:gosec // a descriptor
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		terminal, err = os.OpenFile("/dev/pts/"+strconv.FormatUint(uint64(number), 10), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, control.Close())
	}
	return control, terminal, nil
}
