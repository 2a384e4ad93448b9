// Package sse reads and writes server-sent events, as the HTML standard defines
// the format. It knows nothing of HTTP: a [Reader] reads any io.Reader, and the
// Append functions write into a byte slice.
package sse
