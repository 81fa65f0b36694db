//go:build !linux

package image

import "testing"

func addWithoutPagemap(*testing.T, map[string]*Image, []byte) {}
