package web

import (
	"net/http"
	"time"
)

// answerTime is how long an answer may take to be made and accepted. Servers of
// streams cannot set [http.Server.WriteTimeout], so it is set here, for the
// requests that are none.
const answerTime = time.Minute

// Deadline bounds the time of requests that end: a caller who reads too slowly has
// its connection cut. Streams must not pass it.
func Deadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Where the connection has no deadlines, as in some tests, there is none.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
		next.ServeHTTP(w, r)
	})
}
