package evaltest

import "encoding/binary"

// murmur3 is the pseudo-code of section 8 of api/evaluation.md.
func murmur3(b []byte) uint32 {
	rotl := func(x uint32, n int) uint32 { return x<<n | x>>(32-n) }
	mix := func(k uint32) uint32 { return rotl(k*0xcc9e2d51, 15) * 0x1b873593 }
	h, n := uint32(0), uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h = rotl(h^mix(binary.LittleEndian.Uint32(b)), 13)*5 + 0xe6546b64
	}
	if len(b) > 0 {
		var last [4]byte
		copy(last[:], b)
		h ^= mix(binary.LittleEndian.Uint32(last[:]))
	}
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
