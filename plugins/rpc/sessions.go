package rpc

import (
	"context"
	"math"
	"strconv"

	"github.com/sandboxd/sandboxd/host/session"
	"github.com/sandboxd/sandboxd/plugins/service"
	pb "github.com/sandboxd/sandboxd/sdk/sandboxdv1"
)

// maxPage is the most entries of one page.
const maxPage = 1000

// pageSize reads the size of a page.
func pageSize(n int32) (int, error) {
	if n < 0 || n > maxPage {
		return 0, badField("page_size", "want 0 to "+strconv.Itoa(maxPage))
	}
	if n == 0 {
		n = maxPage
	}
	return int(n), nil
}

// number reads what becomes an int.
func number(field string, n, least int64) (int, error) {
	if n < least || n > math.MaxInt32 {
		return 0, badField(field, "want "+strconv.FormatInt(least, 10)+" to "+strconv.Itoa(math.MaxInt32))
	}
	return int(n), nil
}

// onSession answers with what do gives of the caller's session.
func onSession[R any](ctx context.Context, s *Server, id string, do func(service.Caller) (*session.Session, error), answer func(*pb.Session) *R) (*R, error) {
	c, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	n, err := do(c)
	if err != nil {
		return nil, s.fail(ctx, c, err, resource{"session", id})
	}
	return answer(sessionOf(c, n)), nil
}

// CreateSession implements [pb.SandboxServer].
func (s *Server) CreateSession(ctx context.Context, r *pb.CreateSessionRequest) (*pb.CreateSessionResponse, error) {
	return onSession(ctx, s, r.GetSessionId(), func(c service.Caller) (*session.Session, error) {
		persist, err := persistOf(r.GetPersist())
		if err != nil {
			return nil, err
		}
		return s.service.CreateSession(ctx, c, session.Spec{
			ID: r.GetSessionId(), Language: r.GetLanguage(), Profile: r.GetProfile(), Persist: persist,
		})
	}, func(n *pb.Session) *pb.CreateSessionResponse { return &pb.CreateSessionResponse{Session: n} })
}

// GetSession implements [pb.SandboxServer].
func (s *Server) GetSession(ctx context.Context, r *pb.GetSessionRequest) (*pb.GetSessionResponse, error) {
	return onSession(ctx, s, r.GetSessionId(), func(c service.Caller) (*session.Session, error) {
		return s.service.Session(ctx, c, r.GetSessionId())
	}, func(n *pb.Session) *pb.GetSessionResponse { return &pb.GetSessionResponse{Session: n} })
}

// ForkSession implements [pb.SandboxServer].
func (s *Server) ForkSession(ctx context.Context, r *pb.ForkSessionRequest) (*pb.ForkSessionResponse, error) {
	return onSession(ctx, s, r.GetSessionId(), func(c service.Caller) (_ *session.Session, err error) {
		turn := -1
		if r.Turn != nil {
			if turn, err = number("turn", r.GetTurn(), 0); err != nil {
				return nil, err
			}
		}
		return s.service.Fork(ctx, c, r.GetSessionId(), turn, r.GetNewSessionId())
	}, func(n *pb.Session) *pb.ForkSessionResponse { return &pb.ForkSessionResponse{Session: n} })
}

// RollbackSession implements [pb.SandboxServer].
func (s *Server) RollbackSession(ctx context.Context, r *pb.RollbackSessionRequest) (*pb.RollbackSessionResponse, error) {
	return onSession(ctx, s, r.GetSessionId(), func(c service.Caller) (*session.Session, error) {
		turns, err := number("turns", r.GetTurns(), 1)
		if err != nil {
			return nil, err
		}
		return s.service.Rollback(ctx, c, r.GetSessionId(), turns)
	}, func(n *pb.Session) *pb.RollbackSessionResponse { return &pb.RollbackSessionResponse{Session: n} })
}

// ResetSession implements [pb.SandboxServer].
func (s *Server) ResetSession(ctx context.Context, r *pb.ResetSessionRequest) (*pb.ResetSessionResponse, error) {
	return onSession(ctx, s, r.GetSessionId(), func(c service.Caller) (*session.Session, error) {
		return s.service.Reset(ctx, c, r.GetSessionId(), r.GetKeepFiles())
	}, func(n *pb.Session) *pb.ResetSessionResponse { return &pb.ResetSessionResponse{Session: n} })
}

// DestroySession implements [pb.SandboxServer].
func (s *Server) DestroySession(ctx context.Context, r *pb.DestroySessionRequest) (*pb.DestroySessionResponse, error) {
	c, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.service.Destroy(ctx, c, r.GetSessionId()); err != nil {
		return nil, s.fail(ctx, c, err, resource{"session", r.GetSessionId()})
	}
	return &pb.DestroySessionResponse{}, nil
}

// ListSessions implements [pb.SandboxServer].
func (s *Server) ListSessions(ctx context.Context, r *pb.ListSessionsRequest) (*pb.ListSessionsResponse, error) {
	c, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	var from uint64
	if r.GetPageToken() != "" {
		if from, err = strconv.ParseUint(r.GetPageToken(), 10, 31); err != nil {
			return nil, badField("page_token", "not one of this service's")
		}
	}
	list, err := s.service.Sessions(ctx, c)
	if err != nil {
		return nil, s.fail(ctx, c, err)
	}
	list = list[min(int(from), len(list)):] //nolint:gosec // of 31 bits
	out := &pb.ListSessionsResponse{}
	if len(list) > size {
		list = list[:size]
		out.NextPageToken = strconv.Itoa(int(from) + size) //nolint:gosec // of 31 bits
	}
	for _, n := range list {
		out.Sessions = append(out.Sessions, sessionOf(c, n))
	}
	return out, nil
}

// ListTurns implements [pb.SandboxServer].
func (s *Server) ListTurns(ctx context.Context, r *pb.ListTurnsRequest) (*pb.ListTurnsResponse, error) {
	c, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.service.Turns(ctx, c, r.GetSessionId())
	if err != nil {
		return nil, s.fail(ctx, c, err, resource{"session", r.GetSessionId()})
	}
	out := &pb.ListTurnsResponse{}
	for _, t := range list {
		out.Turns = append(out.Turns, turnOf(t))
	}
	return out, nil
}
