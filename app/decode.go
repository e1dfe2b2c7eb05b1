package app

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// duration is a time.Duration written as people write it: "30s", "5m", "2h", and "365d" for days.
type duration time.Duration

// UnmarshalText reads what MarshalText writes.
func (d *duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n >= -36500 && n <= 36500) {
			return fmt.Errorf("%q is not a time such as 30s, 5m, 2h or 7d", s)
		}
		*d = duration(n * float64(24*time.Hour))
		return nil
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a time such as 30s, 5m, 2h or 7d", s)
	}
	*d = duration(parsed)
	return nil
}

func (d duration) String() string {
	whole := time.Duration(d)
	if day := 24 * time.Hour; whole >= day && whole%day == 0 {
		return strconv.FormatInt(int64(whole/day), 10) + "d"
	}
	text := whole.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

var (
	timeDuration  = reflect.TypeFor[time.Duration]()
	ownDuration   = reflect.TypeFor[duration]()
	textUnmarshal = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decode reads TOML over cfg, a pointer to a struct. The TOML library knows no durations, so it fills a mirror of cfg's type that has our
// own in their place. An unknown key is an error that shows its line.
func decode(text []byte, cfg any) error {
	target := reflect.ValueOf(cfg).Elem()
	mirror := reflect.New(mirrorOf(target.Type()))
	copyInto(mirror.Elem(), target)
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := decoder.Decode(mirror.Interface()); err != nil {
		return explain(err)
	}
	copyInto(target, mirror.Elem())
	return nil
}

func explain(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var errs []error
		for _, one := range strict.Errors {
			line, _ := one.Position()
			errs = append(errs, fmt.Errorf("line %d: there is no setting %s", line, strings.Join(one.Key(), ".")))
		}
		return errors.Join(errs...)
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, column := wrong.Position()
		return fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	return err
}

func mirrorOf(t reflect.Type) reflect.Type {
	switch {
	case t == timeDuration:
		return ownDuration
	case t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(textUnmarshal):
		return t
	}
	var fields []reflect.StructField
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		if f.Anonymous { // its keys are keys of the whole
			inner := mirrorOf(f.Type)
			for j := range inner.NumField() {
				fields = append(fields, inner.Field(j))
			}
			continue
		}
		fields = append(fields, reflect.StructField{Name: f.Name, Type: mirrorOf(f.Type), Tag: f.Tag})
	}
	return reflect.StructOf(fields)
}

// copyInto copies one struct into another by the names of the fields, in either direction between a type and its mirror.
func copyInto(to, from reflect.Value) {
	for i := range to.NumField() {
		field := to.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		source := from.FieldByName(field.Name)
		switch {
		case field.Anonymous:
			copyInto(to.Field(i), from)
		case source.Type() == field.Type:
			to.Field(i).Set(source)
		case field.Type.Kind() == reflect.Struct:
			copyInto(to.Field(i), source)
		default:
			to.Field(i).Set(source.Convert(field.Type))
		}
	}
}

// keyOf is the name of a field in the file; "" for an embedded one.
func keyOf(f reflect.StructField) string {
	if f.Anonymous {
		return ""
	}
	name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	if name == "" {
		name = strings.ToLower(f.Name)
	}
	return name
}

// setting is one key of the file.
type setting struct {
	section, key string
	value        reflect.Value
	owner        reflect.Type // the Config that declares it
	field        string
}

// name is the key as people write it.
func (s setting) name() string {
	if s.section == "" {
		return s.key
	}
	return s.section + "." + s.key
}

// settings lists all keys of a configuration in the order of their declaration.
func settings(cfg reflect.Value, section string) []setting {
	var all []setting
	for i := range cfg.NumField() {
		f := cfg.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		key := keyOf(f)
		isSection := f.Type.Kind() == reflect.Struct && !reflect.PointerTo(f.Type).Implements(textUnmarshal)
		switch {
		case isSection:
			all = append(all, settings(cfg.Field(i), strings.Trim(section+"."+key, "."))...)
		default:
			all = append(all, setting{section, key, cfg.Field(i), cfg.Type(), f.Name})
		}
	}
	return all
}

// readEnvironment sets keys from variables such as PALABRE_STORE_URL, or PALABRE_STORE_URL_FILE for a file with the value.
func readEnvironment(cfg *Config, lookup func(string) (string, bool)) error {
	for _, s := range settings(reflect.ValueOf(cfg).Elem(), "") {
		name := "PALABRE_" + strings.ToUpper(strings.ReplaceAll(s.name(), ".", "_"))
		text, ok := lookup(name)
		if path, inFile := lookup(name + "_FILE"); inFile {
			content, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("%s_FILE: %w", name, err)
			}
			text, ok = strings.TrimSpace(string(content)), true
		}
		if !ok {
			continue
		}
		if err := setText(s.value, text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func setText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	if v.Type() == timeDuration {
		var d duration
		err := d.UnmarshalText([]byte(text))
		v.SetInt(int64(d))
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.ValueOf(splitList(text)).Convert(v.Type()))
			return nil
		}
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		_, err := fmt.Sscan(text, v.Addr().Interface())
		return err
	}
	return fmt.Errorf("this setting has to be made in the file")
}

// splitList reads a list separated by commas.
func splitList(text string) []string {
	var list []string
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			list = append(list, one)
		}
	}
	return list
}
