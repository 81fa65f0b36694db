//go:build !race

package host

// raceDetector says whether it is on: it makes the compiler of the engine slow.
const raceDetector = false
