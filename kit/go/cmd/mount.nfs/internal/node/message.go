package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"landfast/kit/cmd/mount.nfs/internal/options"
)

// Request is what mount.nfs asks of the process that serves mounts: one of its fields.
type Request struct {
	Mount *MountRequest `json:",omitempty"`
	Serve *ServeRequest `json:",omitempty"`
	Stats *StatsRequest `json:",omitempty"`
}

// MountRequest asks whether the server has the directory, and lets this client use it.
type MountRequest struct {
	Source  string // SERVER:/PATH as it was given
	Path    string
	Options options.Options
	Timeout time.Duration
}

// ServeRequest comes with the FUSE descriptor of the directory that was asked for before.
type ServeRequest struct {
	Directory string
	Device    string // major:minor
}

// StatsRequest asks for the numbers of one mount.
type StatsRequest struct {
	Device string
}

// Reply is empty if all went well.
type Reply struct {
	Errno syscall.Errno   `json:",omitempty"`
	Stats json.RawMessage `json:",omitempty"` // none if the process does not serve that mount
}

const (
	messageBytes = 64 << 10
	pathBytes    = 4096
)

var errMessage = errors.New("not a message of mount.nfs")

func parseRequest(data []byte) (Request, error) {
	var r Request
	if err := json.Unmarshal(data, &r); err != nil {
		return Request{}, err
	}
	asked := 0
	if m := r.Mount; m != nil {
		asked++
		if len(m.Path) > pathBytes || m.Timeout <= 0 || len(m.Options.Minors) == 0 {
			return Request{}, errMessage
		}
	}
	if r.Serve != nil {
		asked++
		if len(r.Serve.Directory) > pathBytes {
			return Request{}, errMessage
		}
	}
	if r.Stats != nil {
		asked++
	}
	if asked != 1 {
		return Request{}, errMessage
	}
	return r, nil
}

// send writes one message, with a file if there is one.
func send(conn *net.UnixConn, message any, file *os.File) error {
	data, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(data) > messageBytes {
		return fmt.Errorf("a message of %d bytes is too long", len(data))
	}
	var rights []byte
	if file != nil {
		rights = unix.UnixRights(int(file.Fd()))
	}
	_, _, err = conn.WriteMsgUnix(data, rights, nil)
	return err
}

// receive reads one message, and the file that came with it; its descriptor is the caller's.
func receive(conn *net.UnixConn) (data []byte, file *os.File, err error) {
	data = make([]byte, messageBytes)
	control := make([]byte, unix.CmsgSpace(4))
	n, controlLen, flags, _, err := conn.ReadMsgUnix(data, control)
	if err != nil {
		return nil, nil, err
	}
	if controlLen > 0 {
		messages, err := unix.ParseSocketControlMessage(control[:controlLen])
		if err != nil || len(messages) != 1 {
			return nil, nil, errMessage
		}
		fds, err := unix.ParseUnixRights(&messages[0])
		if err != nil || len(fds) != 1 {
			return nil, nil, errMessage
		}
		unix.CloseOnExec(fds[0])
		file = os.NewFile(uintptr(fds[0]), "/dev/fuse")
	}
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		if file != nil {
			file.Close()
		}
		return nil, nil, errMessage
	}
	return data[:n], file, nil
}
