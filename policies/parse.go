package policies

func Load(path string) (*Policy, error)               { return Builtin(), nil }
func Parse(path string, data []byte) (*Policy, error) { return Builtin(), nil }
func Find(explicit, workDir, userConfigDir string) (string, error) {
	return explicit, nil
}
func describe(v any) string { return "" }
