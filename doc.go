// Package wigwag is the Go SDK of Wigwag: feature flags that are evaluated in
// memory and change within a fraction of a second of a commit.
//
// # Start
//
// One client serves a whole process:
//
//	client, err := wigwag.New("sk_…", wigwag.WithURL("https://flags.example.com"))
//	if err != nil {
//		return err // an option cannot be used
//	}
//	defer client.Close()
//	if err := client.Start(ctx); err != nil {
//		return err
//	}
//
// New neither connects nor blocks, and Start returns at once. An application that
// wants the flags before it serves its first request waits, with a deadline, and
// goes on whatever comes of it:
//
//	waiting, cancel := context.WithTimeout(ctx, 3*time.Second)
//	defer cancel()
//	if err := client.WaitReady(waiting); err != nil {
//		slog.Warn("starting with default values", "error", err)
//	}
//
// # Ask
//
// An evaluation names the flag, the value to fall back to, and the context: whom
// or what the flag is evaluated for.
//
//	ec := wigwag.NewContext("user-42", wigwag.String("plan", "pro"), wigwag.String("country", "FR"))
//	if client.Bool("new-checkout", false, ec) {
//		…
//	}
//
// It answers from memory, in well under a microsecond. It never blocks, panics,
// logs, or sends the context anywhere. The context given with a call is the one
// that is used; there is no other. The Details methods say in addition which
// variant was served and why, or what was wrong.
//
// A request that asks several times takes a [View] first. All of its answers then
// come from one version of the flags, even if a change arrives in the middle:
//
//	flags := client.At()
//	if flags.Bool("new-checkout", false, ec) {
//		label := flags.String("checkout-button", "Pay", ec)
//		…
//	}
//
// # Be told
//
// [Client.OnChange] names the flags whose answers may have changed,
// [Client.OnStatus] says whether the client is up to date, and
// [Client.OnConfiguration] reports each attempt to get the flags. Handlers that are
// added before Start see everything from the beginning.
//
// # What happens when something fails
//
// Before anything was loaded, evaluations return the caller's default with the
// error code PROVIDER_NOT_READY and the reason ERROR. From the first load on, the
// last good configuration is served, whatever happens to the server, the network
// or the proxies between: nothing that is damaged, foreign or older replaces it.
// The client streams; while the stream is down it polls; and when the server has
// not confirmed the flags for a minute ([WithMaxAge]), the reason of evaluations
// becomes STALE and the status [StatusStale], while the values go on being served.
// When the server refuses the key the status is [StatusError], and the client asks
// again every five minutes.
//
// The client's requests need no more than the URLs of [Client.Endpoints]. They
// carry the key in a header, never in a URL, and never to another host. Neither
// logs nor [Stats] ever show it.
package wigwag
