package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
)

// savedContext is a server under a name, with the token for it.
type savedContext struct {
	Name  string `json:"name"`
	URL   string `json:"url"`
	Token string `json:"token"`
}

// contexts are the servers that wigwag login was given. They are kept in a file
// that only its owner can read.
type contexts struct {
	// Current is the name of the context in use, empty for none.
	Current string         `json:"current,omitempty"`
	Saved   []savedContext `json:"contexts"`

	file string
}

var contextName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}$`)

// readContexts reads the file of contexts; where there is none, there are none.
func readContexts() (*contexts, error) {
	folder, err := os.UserConfigDir()
	if err != nil {
		return &contexts{}, nil //nolint:nilerr // whoever has no home has no contexts
	}
	c := &contexts{file: filepath.Join(folder, "wigwag", "contexts.json")}
	text, err := os.ReadFile(c.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return nil, fmt.Errorf("contexts: %w", err)
	}
	if info, err := os.Stat(c.file); err != nil {
		return nil, fmt.Errorf("contexts: %w", err)
	} else if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s holds tokens, and others can read it; make it yours alone: chmod 600 %s", c.file, c.file)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(c) != nil { // the error may have a part of a token
		return nil, fmt.Errorf("%s is not a file of contexts; mend it, or delete it and use wigwag login again", c.file)
	}
	return c, nil
}

// find returns the context of a name, or nil.
func (c *contexts) find(name string) *savedContext {
	at := slices.IndexFunc(c.Saved, func(s savedContext) bool { return s.Name == name })
	if at < 0 {
		return nil
	}
	return &c.Saved[at]
}

// named is find for a name that was given.
func (c *contexts) named(name string) (*savedContext, error) {
	if s := c.find(name); s != nil {
		return s, nil
	}
	return nil, misused("there is no context %.80q; list them with wigwag context list, or make one with wigwag login", name)
}

// at returns a context of a server's URL, the one in use before others, or nil.
func (c *contexts) at(url string) *savedContext {
	if s := c.find(c.Current); s != nil && s.URL == url {
		return s
	}
	at := slices.IndexFunc(c.Saved, func(s savedContext) bool { return s.URL == url })
	if at < 0 {
		return nil
	}
	return &c.Saved[at]
}

// keep adds a context, in the place of one of the same name, and uses it.
func (c *contexts) keep(s savedContext) {
	if old := c.find(s.Name); old != nil {
		*old = s
	} else {
		c.Saved = append(c.Saved, s)
	}
	c.Current = s.Name
}

// remove takes a context out; none is in use where it was.
func (c *contexts) remove(name string) {
	c.Saved = slices.DeleteFunc(c.Saved, func(s savedContext) bool { return s.Name == name })
	if c.Current == name {
		c.Current = ""
	}
}

// save writes the file, in the place of the old one, for its owner alone.
func (c *contexts) save() (err error) {
	if c.file == "" {
		return errors.New("there is no folder for what is yours; set HOME")
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	folder := filepath.Dir(c.file)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("contexts: %w", err)
	}
	temporary, err := os.CreateTemp(folder, "contexts-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("contexts: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}()
	_, err = temporary.Write(append(text, '\n'))
	if err == nil {
		err = temporary.Sync()
	}
	if err := errors.Join(err, temporary.Close()); err != nil {
		return fmt.Errorf("contexts: %w", err)
	}
	if err := os.Rename(temporary.Name(), c.file); err != nil {
		return fmt.Errorf("contexts: %w", err)
	}
	return nil
}
