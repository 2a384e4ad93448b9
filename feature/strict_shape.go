package feature

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// shape is the JSON that a Go type is decoded from.
type shape uint8

const (
	shapeAny shape = iota
	shapeBool
	shapeNumber
	shapeInt
	shapeString
	shapeList
	shapeMap
	shapeStruct
	shapeText         // a TextUnmarshaler
	shapeCustom       // an Unmarshaler
	shapeCustomObject // an Unmarshaler of objects
)

// String names what is expected, for a message.
func (s shape) String() string {
	switch s {
	case shapeBool:
		return "true or false"
	case shapeNumber:
		return "a number"
	case shapeInt:
		return "a whole number"
	case shapeString, shapeText:
		return "a string"
	case shapeList:
		return "a list"
	case shapeMap, shapeStruct, shapeCustomObject:
		return "an object"
	default:
		return "any value"
	}
}

// shapeOf returns the shape of a type, the type behind its pointers, and whether
// null leaves it as it is.
func shapeOf(t reflect.Type) (s shape, behind reflect.Type, nullable bool) {
	for t != nil {
		if pointer := reflect.PointerTo(t); t.Kind() != reflect.Pointer {
			switch {
			case objectTypes[t]:
				return shapeCustomObject, t, true
			case pointer.Implements(unmarshalerType):
				return shapeCustom, t, true
			case pointer.Implements(textUnmarshalerType):
				return shapeText, t, nullable
			}
			break
		}
		t, nullable = t.Elem(), true
	}
	if t == nil {
		return shapeAny, nil, true
	}
	switch kind := t.Kind(); {
	case kind == reflect.Bool:
		s = shapeBool
	case kind >= reflect.Int && kind <= reflect.Uintptr:
		s = shapeInt
	case kind == reflect.Float32 || kind == reflect.Float64:
		s = shapeNumber
	case kind == reflect.String && t != reflect.TypeFor[json.Number]():
		s = shapeString
	case kind == reflect.Struct:
		s = shapeStruct
	case kind == reflect.Map:
		return shapeMap, t, true
	case kind == reflect.Array, kind == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return shapeList, t, true
	default: // an interface, or what encoding/json decodes by rules of its own
		return shapeAny, t, true
	}
	return s, t, nullable
}

// structFields are the fields of a struct by their JSON names.
type structFields struct {
	names []string // in the order of the struct
	types map[string]reflect.Type
}

func (w *strictWalk) fieldsOf(t reflect.Type) *structFields {
	fields := w.structs[t]
	if fields == nil {
		fields = &structFields{types: map[string]reflect.Type{}}
		fields.collect(t)
		w.structs[t] = fields
	}
	return fields
}

// collect takes the fields of a struct and, where their names are free, those of
// the structs embedded in it.
func (f *structFields) collect(t reflect.Type) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case tag == "-":
		case field.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			embedded = append(embedded, inner)
		case field.IsExported():
			if name == "" {
				name = field.Name
			}
			if f.types[name] == nil {
				f.names = append(f.names, name)
				f.types[name] = field.Type
				if strings.Contains(options, "string") {
					f.types[name] = reflect.TypeFor[any]()
				}
			}
		}
	}
	for _, inner := range embedded {
		f.collect(inner)
	}
}

var (
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	// objectTypes are our Unmarshalers that take nothing but an object.
	objectTypes = map[reflect.Type]bool{
		reflect.TypeFor[Variants]():          true,
		reflect.TypeFor[Metadata]():          true,
		reflect.TypeFor[EvaluationContext](): true,
	}
)
