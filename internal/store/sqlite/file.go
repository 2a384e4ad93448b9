package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// file is where a database is: an absolute path.
type file string

// locate returns the file of a path, and makes it and its folder where there is
// none.
func locate(path string) (file, error) {
	if path == "" {
		return "", errors.New("the path of the database is empty: name a file, such as wigwag.db")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("database %s: %w: give its full path", path, err)
	}
	f := file(absolute)
	if info, err := os.Stat(absolute); err == nil && info.IsDir() {
		return "", fmt.Errorf("database %s is a folder: name a file in it, such as %s", absolute, filepath.Join(absolute, "wigwag.db"))
	}
	if err := os.MkdirAll(filepath.Dir(absolute), 0o700); err != nil {
		return "", f.explain(err)
	}
	for _, name := range []string{absolute, f.lockPath()} {
		if err := create(name); err != nil {
			return "", f.explain(err)
		}
	}
	return f, nil
}

// creating is held while a file of ours is open outside of SQLite. On Unix, closing
// a file ends all locks that the process has on it, those of SQLite included, so
// nothing may get from here to SQLite before it is closed.
var creating sync.Mutex

// create makes an empty file that the user alone may read, unless there is one,
// which it does not touch. SQLite gives the files that it makes beside a database
// the same mode.
func create(name string) error {
	creating.Lock()
	defer creating.Unlock()
	made, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return made.Close()
}

func (f file) lockPath() string { return string(f) + "-lock" }

// explain says of an error of opening which database it is, and what to do.
func (f file) explain(err error) error {
	advice := ""
	var failure *driver.Error
	switch {
	case errors.Is(err, fs.ErrPermission):
		advice = ": let this user read and write the file and its folder, or name another file"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.As(err, &failure):
		advice = advise(failure.Code())
	default:
		if folder, statErr := os.Stat(filepath.Dir(string(f))); statErr != nil || !folder.IsDir() {
			advice = ": its folder cannot be made: name a file in a folder that is there"
		}
	}
	return fmt.Errorf("database %s: %w%s", string(f), err, advice)
}

// advise says what to do about a result code of SQLite.
func advise(code int) string {
	switch code & 0xff {
	case codes.SQLITE_NOTADB:
		return ": the file is no SQLite database: name another file"
	case codes.SQLITE_CORRUPT:
		return ": the file is damaged: restore a backup"
	case codes.SQLITE_BUSY:
		return ": another process holds the database: end it, or wait for it"
	case codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM:
		return ": let this user read and write the file and its folder, or name another file"
	case codes.SQLITE_FULL:
		return ": the disk is full: free some space"
	default:
		return ""
	}
}

// purpose is what a connection is for.
type purpose int

const (
	forWriting purpose = iota
	forReading
	forLocking
)

// dsn returns the driver's name of the database for a purpose.
func (f file) dsn(p purpose) string {
	path := string(f)
	query := url.Values{}
	// Other processes write for moments only; whoever waits this long meets a
	// fault.
	query.Add("_pragma", "busy_timeout(10000)")
	switch p {
	case forWriting:
		query.Set("mode", "rw")
		query.Set("_txlock", "immediate")
		query.Add("_pragma", "journal_mode(WAL)")
		// A commit is on the disk when it returns.
		query.Add("_pragma", "synchronous(FULL)")
		query.Add("_pragma", "foreign_keys(ON)")
	case forReading:
		query.Set("mode", "ro")
	case forLocking:
		path = f.lockPath()
		query.Set("mode", "rw")
		query.Set("_txlock", "exclusive")
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

// locked runs fn while no other process or goroutine is in locked for this file.
// The lock is SQLite's own on an empty database beside the file, because it works
// on every system and ends with the process; the database itself cannot serve,
// since what runs under the lock opens and commits transactions on it.
func (f file) locked(ctx context.Context, fn func() error) (err error) {
	db, err := sql.Open("sqlite", f.dsn(forLocking))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("wait for other processes that open it: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it wrote nothing; closing ends it in any case
	return fn()
}
