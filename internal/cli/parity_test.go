package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/wigwag/wigwag/internal/gen"
)

// commandOf says by which command people reach an operation of the API, by its
// operationId; one of them is enough. An operation that has no command has a
// reason instead.
var commandOf = map[string]struct{ command, reason string }{
	"listFlags":            {command: "flags list"},
	"getFlag":              {command: "flags get"},
	"createFlag":           {command: "flags create"},
	"patchFlag":            {command: "flags enable"},
	"listChanges":          {command: "history all"},
	"listProjectChanges":   {command: "history all"},
	"getVersion":           {command: "history version"},
	"getProjectVersion":    {command: "history version"},
	"diffVersions":         {command: "diff"},
	"diffProjectVersions":  {command: "diff"},
	"restoreVersion":       {command: "restore environment"},
	"listFlagsAt":          {command: "flags list"},
	"getFlagAt":            {command: "flags get"},
	"listSegmentsAt":       {command: "segments list"},
	"getSegmentAt":         {command: "segments get"},
	"listSegments":         {command: "segments list"},
	"getSegment":           {command: "segments get"},
	"createSegment":        {command: "segments create"},
	"patchSegment":         {command: "segments update"},
	"deleteSegment":        {command: "segments delete"},
	"updateSegmentKeys":    {command: "segments keys add"},
	"listSegmentKeys":      {command: "segments keys export"},
	"replaceSegmentKeys":   {command: "segments keys import"},
	"getSegmentKey":        {command: "segments keys get"},
	"evaluate":             {command: "evaluate"},
	"listProjects":         {command: "projects list"},
	"createProject":        {command: "projects create"},
	"getProject":           {command: "projects get"},
	"patchProject":         {command: "projects update"},
	"deleteProject":        {command: "projects delete"},
	"archiveProject":       {command: "projects archive"},
	"unarchiveProject":     {command: "projects restore"},
	"listEnvironments":     {command: "environments list"},
	"createEnvironment":    {command: "environments create"},
	"getEnvironment":       {command: "environments get"},
	"patchEnvironment":     {command: "environments update"},
	"deleteEnvironment":    {command: "environments delete"},
	"archiveEnvironment":   {command: "environments archive"},
	"unarchiveEnvironment": {command: "environments restore"},
	"copyEnvironment":      {command: "environments copy"},
	"compareEnvironments":  {command: "environments compare"},
	"deleteFlag":           {command: "flags delete"},
	"archiveFlag":          {command: "flags archive"},
	"unarchiveFlag":        {command: "flags restore"},
	"listDefinitions":      {command: "flags list"},
	"listKeys":             {command: "keys list"},
	"createKey":            {command: "keys create"},
	"rotateKey":            {command: "keys rotate"},
	"revokeKey":            {command: "keys revoke"},
	"listTokens":           {command: "tokens list"},
	"createToken":          {command: "tokens create"},
	"rotateToken":          {command: "tokens rotate"},
	"revokeToken":          {command: "tokens revoke"},
	"whoami":               {command: "whoami"},
	"applyChanges":         {command: "apply"},
	"putFlag":              {command: "flags replace"},
	"patchDefinition":      {command: "flags update"},
	"getDefinition":        {command: "flags get"},
}

// TestEveryOperationHasACommand holds the table to the contract, to the commands,
// and to what the commands call: an operation without a row fails, and so does a
// row whose command's code does not call the operation.
func TestEveryOperationHasACommand(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	operations := map[string]bool{}
	for _, path := range document.Paths.Map() {
		for _, operation := range path.Operations() {
			operations[operation.OperationID] = true
		}
	}
	if len(operations) == 0 {
		t.Fatal("the contract has no operations")
	}
	commands := commandCalls(t, operations)
	for _, operation := range slices.Sorted(maps.Keys(operations)) {
		row, ok := commandOf[operation]
		switch {
		case !ok:
			t.Errorf("no command reaches %s: add one, and a row to commandOf", operation)
		case row.command == "" && row.reason == "":
			t.Errorf("%s has neither a command nor a reason to have none", operation)
		case row.command == "":
		case row.reason != "":
			t.Errorf("%s has a command and a reason to have none", operation)
		case commands[row.command] == nil:
			t.Errorf("%s: there is no command wigwag %s", operation, row.command)
		case !commands[row.command][operation]:
			t.Errorf("%s: the code of wigwag %s does not call it", operation, row.command)
		}
	}
	for operation := range commandOf {
		if !operations[operation] {
			t.Errorf("%s has a row and is not in the contract", operation)
		}
	}
}

// commandCalls are the operations that each command's code can call, by what is
// typed for the command.
func commandCalls(t *testing.T, operations map[string]bool) map[string]map[string]bool {
	t.Helper()
	code := readCode(t)
	code.operations = clientMethods(operations)
	parser, _, err := model()
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]map[string]bool{}
	for _, leaf := range parser.Model.Leaves(true) {
		calls := map[string]bool{}
		code.follow(code.runs[runner(leaf.Target.Type())], calls, map[ast.Node]bool{})
		commands[strings.TrimPrefix(leaf.FullPath(), "wigwag ")] = calls
	}
	return commands
}

// runner is the name of the type whose Run a command has: its own, or one that it
// embeds.
func runner(command reflect.Type) string {
	for i := range command.NumField() {
		if field := command.Field(i); field.Anonymous && field.Type.Kind() == reflect.Struct {
			if _, has := reflect.PointerTo(field.Type).MethodByName("Run"); has {
				return runner(field.Type)
			}
		}
	}
	return command.Name()
}

// clientMethods are the operations by the names of their methods of the generated
// client.
func clientMethods(operations map[string]bool) map[string]string {
	methods := map[string]string{}
	client := reflect.TypeFor[gen.ClientInterface]()
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		for operation := range operations {
			rest, ok := strings.CutPrefix(name, strings.ToUpper(operation[:1])+operation[1:])
			if ok && (rest == "" || strings.HasPrefix(rest, "With")) {
				methods[name] = operation
			}
		}
	}
	return methods
}

// code is the functions of this package.
type code struct {
	runs       map[string]*ast.FuncDecl   // the Run of each type
	functions  map[string][]*ast.FuncDecl // all others, by their names
	operations map[string]string          // by the methods of the client
}

func readCode(t *testing.T) *code {
	t.Helper()
	c := &code{runs: map[string]*ast.FuncDecl{}, functions: map[string][]*ast.FuncDecl{}}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := file.Name(); !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			switch {
			case !ok:
			case f.Recv != nil && f.Name.Name == "Run":
				receiver := f.Recv.List[0].Type
				if pointer, ok := receiver.(*ast.StarExpr); ok {
					receiver = pointer.X
				}
				c.runs[receiver.(*ast.Ident).Name] = f
			default:
				c.functions[f.Name.Name] = append(c.functions[f.Name.Name], f)
			}
		}
	}
	return c
}

// follow adds the operations that a function calls, by itself or by the functions
// that it names. Functions of one name are taken for one.
func (c *code) follow(f *ast.FuncDecl, calls map[string]bool, seen map[ast.Node]bool) {
	if f == nil || seen[f] {
		return
	}
	seen[f] = true
	ast.Inspect(f.Body, func(n ast.Node) bool {
		name, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		if operation := c.operations[name.Name]; operation != "" {
			calls[operation] = true
		}
		for _, called := range c.functions[name.Name] {
			c.follow(called, calls, seen)
		}
		return true
	})
}
