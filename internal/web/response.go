package web

import "net/http"

// response counts what is written to a response writer. It belongs to the
// goroutine that serves the request.
type response struct {
	http.ResponseWriter
	status int // 0 until the header is sent
	bytes  int64
}

// Unwrap is for [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) began() bool { return w.status != 0 }

func (w *response) WriteHeader(status int) {
	informs := status < http.StatusOK && status != http.StatusSwitchingProtocols
	if w.status == 0 && !informs {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// FlushError is for [http.ResponseController]; the first flush sends the header.
func (w *response) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if err == nil && w.status == 0 {
		w.status = http.StatusOK
	}
	return err
}

// Flush makes the writer an [http.Flusher], for libraries that ask for one.
func (w *response) Flush() { _ = w.FlushError() }
