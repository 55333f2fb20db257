package nfs

import (
	"math"
	"sync"
	"syscall"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// writes is what a File has yet to hear of data it was told is written.
type writes struct {
	mu  sync.Mutex
	err error
}

func (w *writes) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

// take tells an error once.
func (w *writes) take() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	w.err = nil
	return err
}

// Write keeps a copy of the data until it is stable. What goes wrong after it has returned is the
// error of the next Write, Sync or Close of this File.
func (f *File) Write(c Call, data []byte, offset uint64) (int, error) {
	if err := f.lost(); err != nil {
		return 0, err
	}
	if err := f.writes.take(); err != nil {
		return 0, err
	}
	if uint64(len(data)) > math.MaxInt64-min(offset, math.MaxInt64) {
		return 0, syscall.EFBIG
	}
	pending := f.mount.client.pending
	file := pending.use(f.mount, f.handle)
	defer pending.release(file)
	done := 0
	for done < len(data) {
		part := data[done:min(len(data), done+file.joinedMax())]
		err := pending.reserve(c.Ctx, len(part))
		if err == nil {
			err = file.add(c.Ctx, f, c.Cred, part, offset+uint64(done))
		}
		if err != nil && done == 0 {
			return 0, err
		}
		if err != nil {
			break
		}
		done += len(part)
	}
	return done, nil
}

// Sync waits until everything written to the file is stable.
func (f *File) Sync(c Call) error {
	pending := f.mount.client.pending
	var failure error
	if file := pending.find(f.handle); file != nil {
		defer pending.release(file)
		file.mu.Lock()
		failures := file.failures
		err := file.sync(c.Ctx)
		if file.failures != failures {
			failure = file.failure // also of data that another File wrote
		}
		file.mu.Unlock()
		if err != nil {
			return err
		}
	}
	if err := f.writes.take(); err != nil {
		failure = err
	}
	if err := f.lost(); err != nil {
		return err
	}
	return failure
}

// Read fills dest unless the file ends before.
func (f *File) Read(c Call, dest []byte, offset uint64) (n int, eof bool, err error) {
	if err := f.lost(); err != nil {
		return 0, false, err
	}
	pending := f.mount.client.pending
	for {
		epoch := pending.epoch.Load()
		grows, err := pending.beforeRead(c.Ctx, f.handle, offset, uint64(len(dest)))
		if err != nil {
			return 0, false, err
		}
		n, eof, err = f.readAll(c, dest, offset)
		if err != nil {
			return n, eof, err
		}
		switch short := n < len(dest); {
		case pending.epoch.Load() != epoch:
			// A server without the data it had may have answered.
		case short && grows:
			// The file ended too early: data behind was not there yet.
			if err := pending.flush(c.Ctx, f.handle); err != nil {
				return 0, false, err
			}
		default:
			return n, eof, nil
		}
	}
}

func (f *File) readAll(c Call, dest []byte, offset uint64) (n int, eof bool, err error) {
	for n < len(dest) && !eof {
		part := dest[n:min(len(dest), n+int(f.mount.options.RSize))]
		var got int
		got, eof, err = f.mount.client.pending.read(f, c, part, offset+uint64(n))
		if err != nil {
			return n, false, err
		}
		n += got
		if got == 0 {
			break
		}
	}
	return n, eof, nil
}

func (f *File) read(c Call, dest []byte, offset uint64) (n int, eof bool, err error) {
	results, err := f.compound(c, dest, func() []nfsv4.NfsArgop4 {
		return []nfsv4.NfsArgop4{putfh(f.handle), &nfsv4.NfsArgop4_OP_READ{Opread: nfsv4.Read4args{
			Stateid: f.stateid(), Offset: offset, Count: uint32(len(dest)),
		}}}
	})
	if err != nil {
		return 0, false, err
	}
	r, err := result[*nfsv4.NfsResop4_OP_READ](results, 1)
	if err != nil {
		return 0, false, err
	}
	ok, is := r.Opread.(*nfsv4.Read4res_NFS4_OK)
	if !is || len(ok.Resok4.Data) > len(dest) {
		return 0, false, errMalformed
	}
	return len(ok.Resok4.Data), ok.Resok4.Eof, nil // they are in dest
}

// write sends one WRITE. The server may take only a part of the data.
func (f *File) write(c Call, data []byte, offset uint64, how nfsv4.StableHow4) (*nfsv4.Write4resok, error) {
	results, err := f.compound(c, nil, func() []nfsv4.NfsArgop4 {
		return []nfsv4.NfsArgop4{putfh(f.handle), &nfsv4.NfsArgop4_OP_WRITE{Opwrite: nfsv4.Write4args{
			Stateid: f.stateid(), Offset: offset, Stable: how, Data: data,
		}}}
	})
	if err != nil {
		return nil, err
	}
	r, err := result[*nfsv4.NfsResop4_OP_WRITE](results, 1)
	if err != nil {
		return nil, err
	}
	ok, is := r.Opwrite.(*nfsv4.Write4res_NFS4_OK)
	if !is || ok.Resok4.Count == 0 || int(ok.Resok4.Count) > len(data) || ok.Resok4.Committed < how {
		return nil, errMalformed
	}
	return &ok.Resok4, nil
}

func (m *Mount) commit(c Call, h Handle) (Verifier, error) {
	results, err := m.run(c, putfh(h), &nfsv4.NfsArgop4_OP_COMMIT{})
	if err != nil {
		return Verifier{}, err
	}
	r, err := result[*nfsv4.NfsResop4_OP_COMMIT](results, 1)
	if err != nil {
		return Verifier{}, err
	}
	ok, is := r.Opcommit.(*nfsv4.Commit4res_NFS4_OK)
	if !is {
		return Verifier{}, errMalformed
	}
	return ok.Resok4.Writeverf, nil
}
