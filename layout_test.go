package wigwag_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/wigwag/wigwag"

// anything stands in the layout for every package of the module.
const anything = "*"

// layout says which packages of the module each package may import itself, and
// why no others. Paths are relative to the module, "." is its root. Tests are
// free: only what gets into programs counts.
var layout = []struct{ pkg, imports, reason string }{
	{"feature", "", "the nouns know nobody, so that everybody can share them"},
	{"eval", "feature", "evaluation is a function of a flag set and a context, and of nothing else"},
	{"eval/internal/evaltest", "", "the reference evaluator and the generators are written from the specification and share nothing with what they test"},
	{"snapshot", "feature", "the documents are what travels; who sends them is not their business"},
	{".", "feature eval snapshot internal/sse", "the SDK is compiled into other people's programs and brings nothing of the server along"},
	{"vectors", "", "the conformance cases are data, read by every language"},

	{"internal/fault", "feature", "the error policy is below everything that has errors; it knows those of documents"},
	{"internal/sse", "", "the wire format of server-sent events is the same for the SDK and the server"},
	{"internal/web", "feature internal/fault", "what every HTTP handler needs knows no use case"},

	{"internal/store", "snapshot", "the storage contract holds no driver; drivers import it"},
	{"internal/store/memory", "internal/store snapshot", "implementations never import each other: what they share is the contract"},
	{"internal/store/sqlite", "internal/store snapshot", "implementations never import each other: what they share is the contract"},
	{"internal/store/storetest", "internal/store snapshot", "the suite knows the contract alone, so that every implementation can pass it"},

	{"internal/control", "eval feature snapshot internal/auth internal/fault internal/store", "use cases work on any store and publish nothing: the store tells the feed, after the commit"},
	{"internal/auth", "internal/fault internal/store snapshot", "who may ask is decided from credentials alone"},
	{"internal/feed", "snapshot internal/hub internal/store", "the feed reads the truth from the store; it must not depend on who wrote it"},
	{"internal/hub", "snapshot internal/sse", "the hub serves snapshots, whether a store or another server is behind them"},
	{"internal/stream", "snapshot internal/auth internal/fault internal/hub internal/sse", "streams are a framing of what the hub serves; they never reach for use cases or stores"},
	{"internal/gen", "eval feature snapshot internal/auth internal/control internal/fault", "generated from api/openapi.yaml; its types are aliases of ours where we have them"},
	{"internal/apidoc", "internal/web", "the contract is shown as it is written, whatever it says"},
	{"internal/httpapi", "feature snapshot internal/auth internal/control internal/fault internal/gen internal/web", "requests become use cases; no handler reaches a store past them"},

	{"internal/app", anything, "the one place that builds the parts and knows them all"},
	{"internal/flagfile", "feature", "flags files are read and written without a server; what they say of flags is what feature says"},
	{"internal/flagplan", "feature snapshot internal/flagfile", "a plan is a function of what files say and what a server has; who reads and sends them is not its business"},
	{"internal/cli", "eval feature internal/app internal/flagfile internal/flagplan internal/gen internal/sse", "commands speak to a server by its API, or start one"},
	{"cmd/wigwag", "internal/cli", "the program has no logic of its own"},
	{"examples/go", ".", "an example uses what an application can"},
}

// standardOnly are the packages that bring no dependency into the programs that
// import them, not even through what they import.
var standardOnly = []string{"feature", "eval", "snapshot", "."}

// pure are the packages without I/O, clock or log. What they must not import
// comes with a reason; a path ending in a slash means all below it.
var pure = []string{"feature", "eval", "snapshot"}

var impure = []struct{ path, reason string }{
	{"net", "no sockets; net/netip only parses"},
	{"net/http", "no sockets"},
	{"net/url", "documents hold no addresses"},
	{"os", "no files and no environment"},
	{"os/", "no processes"},
	{"io/fs", "no files"},
	{"log", "errors are returned, never logged"},
	{"log/", "errors are returned, never logged"},
	{"math/rand", "the same question has the same answer"},
	{"math/rand/v2", "the same question has the same answer"},
	{"crypto/rand", "the same question has the same answer"},
	{"unsafe", "memory safety is not ours to bend"},
	{"syscall", "no system calls"},
}

// forbiddenCalls must not be made in the pure packages; parsing and formatting
// times is not reading a clock.
var forbiddenCalls = map[string]string{
	"time.Now":       "the caller says what time it is",
	"time.Since":     "the caller says what time it is",
	"time.Until":     "the caller says what time it is",
	"time.Sleep":     "evaluation never waits",
	"time.After":     "evaluation never waits",
	"time.AfterFunc": "evaluation never waits",
	"time.Tick":      "evaluation never waits",
	"time.NewTimer":  "evaluation never waits",
	"time.NewTicker": "evaluation never waits",
	"fmt.Print":      "nothing is printed in other people's programs",
	"fmt.Printf":     "nothing is printed in other people's programs",
	"fmt.Println":    "nothing is printed in other people's programs",
	"panic":          "no fault of ours breaks the application that asks",
	"print":          "nothing is printed in other people's programs",
	"println":        "nothing is printed in other people's programs",
}

// listed is what the go command says of a package.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
	Deps       []string
}

// relative returns the package's path in the module.
func (p *listed) relative() string { return relative(p.ImportPath) }

func relative(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func inModule(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// isStandard reports whether a path is of the standard library: its first part
// has no dot, unlike a host's name.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

var listOnce = sync.OnceValues(func() (map[string]*listed, error) {
	command := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports,Deps", "./...")
	output, err := command.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return nil, errors.New(string(exit.Stderr))
		}
		return nil, err
	}
	packages := map[string]*listed{}
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for {
		p := new(listed)
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages[p.relative()] = p
	}
})

// packages returns the packages of the module by their path in it.
func packages(t *testing.T) map[string]*listed {
	t.Helper()
	all, err := listOnce()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return all
}

func TestImportsFollowTheLayout(t *testing.T) {
	all := packages(t)
	seen := map[string]bool{}
	for _, row := range layout {
		if seen[row.pkg] {
			t.Errorf("%s has two rows in the layout", row.pkg)
		}
		seen[row.pkg] = true
		if row.reason == "" {
			t.Errorf("%s has no reason in the layout", row.pkg)
		}
		p := all[row.pkg]
		if p == nil {
			t.Errorf("%s is in the layout but not in the module", row.pkg)
			continue
		}
		if row.imports == anything {
			continue
		}
		allowed := strings.Fields(row.imports)
		for _, name := range allowed {
			if all[name] == nil {
				t.Errorf("%s may import %s, which is not in the module", row.pkg, name)
			} else if !slices.Contains(p.Imports, all[name].ImportPath) {
				t.Errorf("%s may import %s and does not: take the arrow out of the layout", row.pkg, name)
			}
		}
		for _, imported := range p.Imports {
			if inModule(imported) && !slices.Contains(allowed, relative(imported)) {
				t.Errorf("%s imports %s: %s", row.pkg, relative(imported), row.reason)
			}
		}
	}
	for name := range all {
		if !seen[name] {
			t.Errorf("%s is not in the layout: give it a row in layout_test.go that says what it may import, and why", name)
		}
	}
}

// TestNothingShippedImportsTesting keeps suites and their flags out of programs.
func TestNothingShippedImportsTesting(t *testing.T) {
	for name, p := range packages(t) {
		if strings.HasSuffix(path.Base(name), "test") {
			continue
		}
		for _, imported := range p.Imports {
			if imported == "testing" || strings.HasPrefix(imported, "testing/") ||
				(inModule(imported) && strings.HasSuffix(imported, "test")) {
				t.Errorf("%s imports %s outside of its tests", name, imported)
			}
		}
	}
}

func TestPublicPackagesReachTheStandardLibraryOnly(t *testing.T) {
	all := packages(t)
	for _, name := range standardOnly {
		p := all[name]
		if p == nil {
			t.Errorf("%s is not in the module", name)
			continue
		}
		for _, dependency := range p.Deps {
			if !isStandard(dependency) && !inModule(dependency) {
				t.Errorf("%s reaches %s", name, dependency)
			}
		}
	}
}

func TestPurePackagesImportNothingImpure(t *testing.T) {
	all := packages(t)
	for _, name := range pure {
		p := all[name]
		if p == nil {
			t.Errorf("%s is not in the module", name)
			continue
		}
		for _, imported := range p.Imports {
			for _, banned := range impure {
				if imported == banned.path || (strings.HasSuffix(banned.path, "/") && strings.HasPrefix(imported, banned.path)) {
					t.Errorf("%s imports %s: %s", name, imported, banned.reason)
				}
			}
		}
	}
}

func TestPurePackagesMakeNoForbiddenCalls(t *testing.T) {
	all := packages(t)
	for _, name := range pure {
		p := all[name]
		if p == nil {
			t.Errorf("%s is not in the module", name)
			continue
		}
		for _, file := range p.GoFiles {
			for _, found := range forbidden(t, filepath.Join(p.Dir, file)) {
				t.Errorf("%s/%s: %s: %s", name, found.at, found.what, forbiddenCalls[found.what])
			}
		}
	}
}

// use is a mention of something forbidden.
type use struct{ at, what string }

// forbidden returns what a file mentions of the forbidden calls. Passing one of
// them as a value counts as well.
func forbidden(t *testing.T, file string) []use {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string]string{} // by the name they have in the file
	for _, spec := range parsed.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		name := path.Base(importPath)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = importPath
	}
	var uses []use
	report := func(at token.Pos, what string) {
		if _, ok := forbiddenCalls[what]; ok {
			position := files.Position(at)
			uses = append(uses, use{filepath.Base(position.Filename) + ":" + strconv.Itoa(position.Line), what})
		}
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.SelectorExpr:
			if base, ok := n.X.(*ast.Ident); ok && imports[base.Name] != "" {
				report(n.Pos(), imports[base.Name]+"."+n.Sel.Name)
			}
		case *ast.CallExpr:
			if called, ok := n.Fun.(*ast.Ident); ok {
				report(n.Pos(), called.Name)
			}
		}
		return true
	})
	return uses
}

func TestPackagesHaveOneDocComment(t *testing.T) {
	for name, p := range packages(t) {
		sources := slices.Concat(p.GoFiles, p.CgoFiles)
		if len(sources) == 0 { // tests alone need no documentation
			continue
		}
		var documented []string
		for _, file := range sources {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			// What a generator says of its output is not the package's comment.
			if parsed.Doc != nil && !ast.IsGenerated(parsed) {
				documented = append(documented, file)
			}
		}
		switch len(documented) {
		case 1:
		case 0:
			t.Errorf("%s has no package comment", name)
		default:
			t.Errorf("%s has a package comment in each of %s; one file must have it", name, strings.Join(documented, ", "))
		}
	}
}
