package service

import "github.com/sandboxd/sandboxd/host"

// Observer is told of executions, to count them. Its methods are called while callers
// wait, at the same time by several of them.
type Observer interface {
	// Started tells that an execution was let in. One of the others follows.
	Started(Caller)
	// Finished tells how it went.
	Finished(Caller, *host.Result)
	// Failed tells that there is no result. An execution that was not let in fails
	// without having started.
	Failed(c Caller, err error, started bool)
}

// nobody observes nothing.
type nobody struct{}

func (nobody) Started(Caller)                {}
func (nobody) Finished(Caller, *host.Result) {}
func (nobody) Failed(Caller, error, bool)    {}
