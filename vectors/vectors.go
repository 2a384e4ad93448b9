// Package vectors holds the conformance cases of api/evaluation.md, for the
// tests of every evaluator. README.md gives the formats.
package vectors

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed *.json
var files embed.FS

// File is a file of cases on one topic.
type File struct {
	// Topic is the file's name without .json.
	Topic       string             `json:"-"`
	Description string             `json:"description"`
	FlagSets    map[string]FlagSet `json:"flagSets"`
	Cases       []Case             `json:"cases"`
}

// FlagSet is a flag set as its documents. They are not decoded, because some
// cannot be: such a flag does not compile. Each document is an object, and each
// flag has a key.
type FlagSet struct {
	Flags    []json.RawMessage `json:"flags"`
	Segments []json.RawMessage `json:"segments"`
	Keys     []json.RawMessage `json:"keys"`
}

// Case is one flag resolved for one context.
type Case struct {
	// Name is unique in the file.
	Name string `json:"name"`
	// FlagSet names one of the file's flag sets.
	FlagSet string          `json:"flagSet"`
	Flag    string          `json:"flag"`
	Context json.RawMessage `json:"context"`
	Expect  Expect          `json:"expect"`
}

// Expect is what a case resolves to.
type Expect struct {
	// Value is absent where ErrorCode is not.
	Value     json.RawMessage `json:"value"`
	Variant   string          `json:"variant"`
	Reason    string          `json:"reason"`
	Rule      string          `json:"rule"`
	ErrorCode string          `json:"errorCode"`
	// Trace is absent in most cases; it is then not compared.
	Trace json.RawMessage `json:"trace"`
}

// Bucket is the place of one value in a split. The fields of version 2 are those
// of api/evaluation.md; version 3 hashes the CBOR of the same text.
type Bucket struct {
	Salt     string `json:"salt"`
	Value    string `json:"value"`
	Hash     uint32 `json:"hash_v2"`
	Bucket   int    `json:"bucket100000_v2"`
	HashV3   uint32 `json:"hash_v3"`
	BucketV3 int    `json:"bucket100000_v3"`
}

// Typed is a value that a typed call meets. ErrorCode is empty where the call
// takes it.
type Typed struct {
	// As is boolean, string, number, integer or object.
	As        string          `json:"as"`
	Value     json.RawMessage `json:"value"`
	ErrorCode string          `json:"errorCode"`
}

// The files that are no files of cases.
const (
	bucketingFile   = "bucketing.json"
	typedFile       = "typed.json"
	accumulatedFile = "accumulated.json"
)

// Files returns all files of cases, by topic.
func Files() ([]File, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var all []File
	for _, entry := range entries {
		switch entry.Name() {
		case bucketingFile, typedFile, accumulatedFile:
			continue
		}
		file := File{Topic: strings.TrimSuffix(entry.Name(), ".json")}
		if err := read(entry.Name(), &file); err != nil {
			return nil, err
		}
		all = append(all, file)
	}
	return all, nil
}

// Bucketing returns the cases of the hash.
func Bucketing() ([]Bucket, error) {
	var buckets []Bucket
	err := read(bucketingFile, &buckets)
	return buckets, err
}

// TypedCalls returns the cases of typed calls.
func TypedCalls() ([]Typed, error) {
	var file struct {
		Cases []Typed `json:"cases"`
	}
	err := read(typedFile, &file)
	return file.Cases, err
}

func read(name string, target any) error {
	data, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, target); err != nil {
		return fmt.Errorf("vectors/%s: %w", name, err)
	}
	return nil
}
