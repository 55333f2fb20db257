package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/buildbarn/go-xdr/pkg/runtime"
)

func TestReplyInFragments(t *testing.T) {
	s := newServer(t, func(_ int, record []byte) [][]byte {
		reply := success(record, 7)
		return [][]byte{reply[:2], reply[2:9], reply[9:]}
	})
	number, _, err := call(t, newClient(t, s.Addr().String()), patience, nil)
	if err != nil || number != 7 {
		t.Fatalf("got %d, %v", number, err)
	}
}

// Whoever reads the first of two replies has read the second one with it.
func TestRepliesInOneSegment(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var segment []byte
		received := &receiver{}
		for number := range uint32(2) {
			record, err := received.next(conn)
			if err != nil {
				return
			}
			reply := success(record, number)
			segment = binary.BigEndian.AppendUint32(segment, lastRecord|uint32(len(reply)))
			segment = append(segment, reply...)
		}
		conn.Write(segment)
		received.next(conn) // until the client has left
	}()
	c := newClient(t, listener.Addr().String())
	var calls []*Call
	for range 2 {
		k, err := c.Start(&Cred{}, 1, patience, func(io.Writer) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, k)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for want, k := range calls {
		err := k.Wait(ctx, func(r *Reader) error {
			number, _, err := runtime.ReadUnsignedInt(r)
			if int(number) != want {
				t.Errorf("call %d has the reply to call %d", want, number)
			}
			return err
		})
		if err != nil || k.Sends() != 1 {
			t.Fatalf("call %d, sent %d times: %v", want, k.Sends(), err)
		}
	}
}

func FuzzReply(f *testing.F) {
	record := []byte{0, 0, 0, 1}
	f.Add(success(record, 7))
	f.Add(success(record, 7)[:20])
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5}) // AUTH_ERROR
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, reply []byte) {
		decodeReply(bytes.Clone(reply), func(r *Reader) error {
			_, _, err := runtime.ReadVariableLengthOpaque(r, 1<<10)
			return err
		})
		framed := binary.BigEndian.AppendUint32(nil, lastRecord|uint32(len(reply)))
		got, err := new(receiver).next(bytes.NewReader(append(framed, reply...)))
		if err == nil && !bytes.Equal(got, reply) {
			t.Fatalf("the record %x was read as %x", reply, got)
		}
		new(receiver).next(bytes.NewReader(reply)) // whatever marks there are
	})
}
