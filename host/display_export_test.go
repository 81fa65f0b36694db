package host

// Shown is the part of a result that a guest's words make.
func Shown(data []byte) *Result {
	var s shown
	_, _ = s.Write(data)
	r := &Result{}
	s.put(r)
	return r
}
