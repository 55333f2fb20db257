package nfs

import (
	"context"
	"errors"
	"strconv"
	"syscall"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// Status is the server's answer to an operation that failed.
type Status nfsv4.Nfsstat4

func (s Status) Error() string {
	if name, known := nfsv4.Nfsstat4_name[nfsv4.Nfsstat4(s)]; known {
		return name
	}
	return "NFS status " + strconv.Itoa(int(s))
}

var errnos = map[nfsv4.Nfsstat4]syscall.Errno{
	nfsv4.NFS4ERR_PERM:         syscall.EPERM,
	nfsv4.NFS4ERR_NOENT:        syscall.ENOENT,
	nfsv4.NFS4ERR_IO:           syscall.EIO,
	nfsv4.NFS4ERR_NXIO:         syscall.ENXIO,
	nfsv4.NFS4ERR_ACCESS:       syscall.EACCES,
	nfsv4.NFS4ERR_EXIST:        syscall.EEXIST,
	nfsv4.NFS4ERR_XDEV:         syscall.EXDEV,
	nfsv4.NFS4ERR_NOTDIR:       syscall.ENOTDIR,
	nfsv4.NFS4ERR_ISDIR:        syscall.EISDIR,
	nfsv4.NFS4ERR_INVAL:        syscall.EINVAL,
	nfsv4.NFS4ERR_FBIG:         syscall.EFBIG,
	nfsv4.NFS4ERR_NOSPC:        syscall.ENOSPC,
	nfsv4.NFS4ERR_ROFS:         syscall.EROFS,
	nfsv4.NFS4ERR_MLINK:        syscall.EMLINK,
	nfsv4.NFS4ERR_NAMETOOLONG:  syscall.ENAMETOOLONG,
	nfsv4.NFS4ERR_NOTEMPTY:     syscall.ENOTEMPTY,
	nfsv4.NFS4ERR_DQUOT:        syscall.EDQUOT,
	nfsv4.NFS4ERR_STALE:        syscall.ESTALE,
	nfsv4.NFS4ERR_BADHANDLE:    syscall.ESTALE,
	nfsv4.NFS4ERR_FHEXPIRED:    syscall.ESTALE,
	nfsv4.NFS4ERR_NOTSUPP:      syscall.EOPNOTSUPP,
	nfsv4.NFS4ERR_ATTRNOTSUPP:  syscall.EOPNOTSUPP,
	nfsv4.NFS4ERR_LOCK_NOTSUPP: syscall.EOPNOTSUPP,
	nfsv4.NFS4ERR_BAD_COOKIE:   syscall.EINVAL,
	nfsv4.NFS4ERR_BADTYPE:      syscall.EINVAL,
	nfsv4.NFS4ERR_BADOWNER:     syscall.EINVAL,
	nfsv4.NFS4ERR_BADCHAR:      syscall.EINVAL,
	nfsv4.NFS4ERR_BADNAME:      syscall.EINVAL,
	nfsv4.NFS4ERR_OP_ILLEGAL:   syscall.EOPNOTSUPP,
	nfsv4.NFS4ERR_SYMLINK:      syscall.ELOOP,
	nfsv4.NFS4ERR_WRONGSEC:     syscall.EACCES,
	nfsv4.NFS4ERR_WRONG_CRED:   syscall.EACCES,
	nfsv4.NFS4ERR_FILE_OPEN:    syscall.EBUSY,
	nfsv4.NFS4ERR_SHARE_DENIED: syscall.EACCES,
	nfsv4.NFS4ERR_OPENMODE:     syscall.EBADF,
	nfsv4.NFS4ERR_DENIED:       syscall.EAGAIN,
	nfsv4.NFS4ERR_LOCKED:       syscall.EAGAIN,
	nfsv4.NFS4ERR_DEADLOCK:     syscall.EDEADLK,
	nfsv4.NFS4ERR_LOCK_RANGE:   syscall.ENOLCK,
	nfsv4.NFS4ERR_BAD_RANGE:    syscall.EINVAL,
	nfsv4.NFS4ERR_MOVED:        syscall.EREMOTE,
}

// Errno is what a system call returns for an error of this package. Whatever has no better
// number is EIO, as in the kernel.
func Errno(err error) syscall.Errno {
	var status Status
	var number syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		if known, ok := errnos[nfsv4.Nfsstat4(status)]; ok {
			return known
		}
	case errors.As(err, &number):
		return number
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return syscall.EINTR
	}
	return syscall.EIO
}
