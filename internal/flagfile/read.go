package flagfile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Standard is the name that stands for the standard input.
const Standard = "-"

// Read reads files, and folders with all that is below them: their files that end
// in .yaml, .yml or .json and do not begin with a full stop, by path. The name
// [Standard] reads in. It is an error when a folder holds no such file.
func Read(in io.Reader, names ...string) ([]Source, error) {
	var files []Source
	for _, name := range names {
		if name == Standard {
			text, err := io.ReadAll(io.LimitReader(in, maxFileBytes+1))
			if err != nil {
				return nil, fmt.Errorf("standard input: %w", err)
			}
			files = append(files, Source{Name: "standard input", Text: text})
			continue
		}
		paths, err := within(name)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			file, err := readFile(path)
			if err != nil {
				return nil, err
			}
			files = append(files, file)
		}
	}
	return files, nil
}

// within returns the paths of the files that a name stands for.
func within(name string) ([]string, error) {
	about, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !about.IsDir() {
		return []string{name}, nil
	}
	paths, err := Files(name)
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s has no files that end in .yaml, .yml or .json", name)
	}
	return paths, err
}

// Files returns the paths of the files below a folder that [Read] reads.
func Files(folder string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && path != folder
		switch {
		case entry.IsDir() && hidden:
			return filepath.SkipDir
		case entry.IsDir() || hidden:
			return nil
		}
		if slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(path))) {
			paths = append(paths, path)
		}
		return nil
	})
	return paths, err
}

func readFile(path string) (Source, error) {
	file, err := os.Open(path)
	if err != nil {
		return Source{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return Source{}, err
	}
	return Source{Name: path, Text: text}, nil
}
