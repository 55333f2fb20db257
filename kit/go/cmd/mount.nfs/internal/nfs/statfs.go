package nfs

// StatFS tells the space of the file system a file is on.
func (m *Mount) StatFS(c Call, h Handle) (Space, error) {
	results, err := m.run(c, putfh(h), getattr(spaceAttributes))
	if err != nil {
		return Space{}, err
	}
	a, err := attributesOf(results, 1)
	return a.space, err
}
