package nfs

// Lock waits, if it is told to, until the range is free or the call's Ctx has ended. Otherwise
// a conflict is EAGAIN.
func (f *File) Lock(c Call, o LockOwner, r Range, write, wait bool) error { panic("soon") }

// TestLock gives the lock that stands in the way, or nil.
func (f *File) TestLock(c Call, o LockOwner, r Range, write bool) (*Conflict, error) { panic("soon") }

// Unlock gives a range back, whether or not anything in it was locked.
func (f *File) Unlock(c Call, o LockOwner, r Range) error { panic("soon") }
