package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/rpcv2"
	"github.com/buildbarn/go-xdr/pkg/runtime"
)

const patience = 20 * time.Second

// server answers each call with what answer makes of the record; nil cuts the connection.
type server struct {
	net.Listener
	mu    sync.Mutex
	calls []uint32 // xids, in the order of arrival
}

func newServer(t *testing.T, answer func(call int, record []byte) [][]byte) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &server{Listener: listener}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn, answer)
		}
	}()
	return s
}

func (s *server) serve(conn net.Conn, answer func(int, []byte) [][]byte) {
	defer conn.Close()
	received := &receiver{}
	for {
		record, err := received.next(conn)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.calls = append(s.calls, binary.BigEndian.Uint32(record))
		n := len(s.calls)
		s.mu.Unlock()
		fragments := answer(n, record)
		if fragments == nil {
			return
		}
		for i, fragment := range fragments {
			mark := uint32(len(fragment))
			if i == len(fragments)-1 {
				mark |= lastRecord
			}
			conn.Write(append(binary.BigEndian.AppendUint32(nil, mark), fragment...))
		}
	}
}

// success is a reply whose results are one number.
func success(record []byte, number uint32) []byte {
	var b bytes.Buffer
	reply := rpcv2.RpcMsg{Xid: binary.BigEndian.Uint32(record), Body: &rpcv2.RpcMsgBody_REPLY{
		Rbody: &rpcv2.ReplyBody_MSG_ACCEPTED{Areply: rpcv2.AcceptedReply{
			ReplyData: &rpcv2.AcceptedReplyData_SUCCESS{},
		}},
	}}
	reply.WriteTo(&b)
	runtime.WriteUnsignedInt(&b, number)
	return b.Bytes()
}

func newClient(t *testing.T, address string) *Client {
	t.Helper()
	c := New(Config{Address: address, Program: 1, Version: 1, Machine: "test", Logf: t.Logf})
	t.Cleanup(c.Close)
	return c
}

// call sends data and gives the number that comes back.
func call(t *testing.T, c *Client, timeo time.Duration, data []byte) (number uint32, sends int, err error) {
	t.Helper()
	k, err := c.Start(&Cred{}, 1, timeo, func(w io.Writer) error {
		_, err := runtime.WriteVariableLengthOpaque(w, recordMax, data)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = k.Wait(ctx, func(r *Reader) (err error) {
		number, _, err = runtime.ReadUnsignedInt(r)
		return err
	})
	return number, k.Sends(), err
}

// Payloads of a megabyte from many callers fill the socket's buffer; each must arrive whole.
func TestLargeRequestsAtOnce(t *testing.T) {
	s := newServer(t, func(_ int, record []byte) [][]byte {
		time.Sleep(5 * time.Millisecond)
		first, sum := record[len(record)-1], uint32(0)
		for _, b := range record[len(record)-1<<20:] {
			if b == first {
				sum++
			}
		}
		return [][]byte{success(record, sum)}
	})
	c := newClient(t, s.Addr().String())
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Add(1)
		go func() {
			defer callers.Done()
			number, _, err := call(t, c, patience, bytes.Repeat([]byte{byte(i)}, 1<<20))
			if err != nil || number != 1<<20 {
				t.Errorf("%d bytes arrived as they were: %v", number, err)
			}
		}()
	}
	callers.Wait()
}

func TestACutConnectionRepeatsTheSameCall(t *testing.T) {
	s := newServer(t, func(call int, record []byte) [][]byte {
		if call < 3 {
			return nil
		}
		return [][]byte{success(record, 1)}
	})
	number, sends, err := call(t, newClient(t, s.Addr().String()), patience, nil)
	if err != nil || number != 1 || sends != 3 {
		t.Fatalf("got %d after %d sends: %v", number, sends, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, xid := range s.calls {
		if xid != s.calls[0] {
			t.Fatalf("xids %v are not one call's", s.calls)
		}
	}
}

func TestASilentServerIsAskedAgainOnAnotherConnection(t *testing.T) {
	s := newServer(t, func(call int, record []byte) [][]byte {
		if call == 1 {
			time.Sleep(patience)
		}
		return [][]byte{success(record, 1)}
	})
	_, sends, err := call(t, newClient(t, s.Addr().String()), 500*time.Millisecond, nil)
	if err != nil || sends != 2 {
		t.Fatalf("%d sends: %v", sends, err)
	}
}

func TestMalformedRepliesBreakTheConnection(t *testing.T) {
	for name, bad := range map[string]func([]byte) [][]byte{
		"too long":     func([]byte) [][]byte { return [][]byte{make([]byte, recordMax+1)} },
		"empty":        func([]byte) [][]byte { return [][]byte{{}} },
		"another xid":  func(r []byte) [][]byte { return [][]byte{success([]byte{r[0] ^ 1, r[1], r[2], r[3]}, 1)} },
		"a call":       func(r []byte) [][]byte { return [][]byte{r} },
		"cut short":    func(r []byte) [][]byte { return [][]byte{success(r, 1)[:26]} },
		"bytes behind": func(r []byte) [][]byte { return [][]byte{append(success(r, 1), 0, 0, 0, 0)} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(call int, record []byte) [][]byte {
				if call == 1 {
					return bad(record)
				}
				return [][]byte{success(record, 1)}
			})
			number, sends, err := call(t, newClient(t, s.Addr().String()), patience, nil)
			if err != nil || number != 1 || sends != 2 {
				t.Fatalf("got %d after %d sends: %v", number, sends, err)
			}
		})
	}
}

func TestAServerThatIsMalformedForGoodIsAnError(t *testing.T) {
	s := newServer(t, func(_ int, record []byte) [][]byte { return [][]byte{success(record, 1)[:26]} })
	_, _, err := call(t, newClient(t, s.Addr().String()), patience, nil)
	if !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v", err)
	}
}

func TestACallerLeavesAtOnceAndCanComeBack(t *testing.T) {
	goOn := make(chan struct{})
	s := newServer(t, func(_ int, record []byte) [][]byte {
		<-goOn
		return [][]byte{success(record, 5)}
	})
	c := newClient(t, s.Addr().String())
	k, err := c.Start(&Cred{}, 1, patience, func(io.Writer) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := k.Wait(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	close(goOn)
	var number uint32
	err = k.Wait(context.Background(), func(r *Reader) (err error) {
		number, _, err = runtime.ReadUnsignedInt(r)
		return err
	})
	if err != nil || number != 5 {
		t.Fatalf("got %d, %v", number, err)
	}
}

func TestCloseEndsCalls(t *testing.T) {
	s := newServer(t, func(int, []byte) [][]byte { time.Sleep(patience); return nil })
	c := New(Config{Address: s.Addr().String(), Logf: t.Logf})
	k, err := c.Start(&Cred{}, 1, patience, func(io.Writer) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, c.Close)
	if err := k.Wait(context.Background(), nil); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if _, err := c.Start(&Cred{}, 1, patience, func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestTooLongARequestIsRefused(t *testing.T) {
	c := newClient(t, "127.0.0.1:1")
	_, err := c.Start(&Cred{}, 1, patience, func(w io.Writer) error {
		_, err := w.Write(make([]byte, recordMax+1))
		return err
	})
	if !errors.Is(err, errLongRequest) {
		t.Fatalf("got %v", err)
	}
}
