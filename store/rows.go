package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// MaxRows is how many rows one query may return; more is ErrTooLarge.
const MaxRows = 100_000

// MaxResultBytes is how many bytes of text and bytea one query may return; more is ErrTooLarge.
const MaxResultBytes = 64 << 20

// Rows is the whole result of a query, already read: it holds no connection and no snapshot.
type Rows struct {
	width  int
	values []any // int64, float64, bool, string, []byte or nil
	at     int   // index of the current row, plus one
	bytes  int
}

// Next moves to the next row and says whether there is one.
func (r *Rows) Next() bool {
	if r.width == 0 || (r.at+1)*r.width > len(r.values) {
		return false
	}
	r.at++
	return true
}

// Scan copies the current row into dest: pointers to integers, strings, bools, floats, []byte, any, to pointers to
// those (nil for null), or a sql.Scanner such as *sql.Null[int64].
func (r *Rows) Scan(dest ...any) error {
	if r.at == 0 {
		return errors.New("scan: call Next first")
	}
	if len(dest) != r.width {
		return fmt.Errorf("scan: %d destinations for %d columns", len(dest), r.width)
	}
	row := r.values[(r.at-1)*r.width:]
	for i, d := range dest {
		if err := assign(d, row[i]); err != nil {
			return fmt.Errorf("scan column %d: %w", i+1, err)
		}
	}
	return nil
}

// Err returns nil: whatever went wrong was returned by Query. It is here because readers expect it.
func (r *Rows) Err() error { return nil }

// Close lets go of the result. It is not required.
func (r *Rows) Close() { r.values, r.at = nil, 0 }

// Len returns the number of rows.
func (r *Rows) Len() int {
	if r.width == 0 {
		return 0
	}
	return len(r.values) / r.width
}

// add appends one value of the row being read and keeps the limits.
func (r *Rows) add(v any) error {
	switch v := v.(type) {
	case string:
		r.bytes += len(v)
	case []byte:
		r.bytes += len(v)
	}
	if r.bytes > MaxResultBytes || len(r.values) >= MaxRows*r.width {
		return ErrTooLarge
	}
	r.values = append(r.values, v)
	return nil
}

// Row is the first row of a result.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the row into dest, see Rows.Scan. It returns ErrNoRows if there is none, or the error of the query.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if !r.rows.Next() {
		return ErrNoRows
	}
	return r.rows.Scan(dest...)
}

func assign(dest, v any) error {
	switch d := dest.(type) {
	case *int64:
		return assignInt(d, v)
	case *string:
		return assignString(d, v)
	case *[]byte:
		return assignBytes(d, v)
	case *bool:
		return assignBool(d, v)
	case *any:
		*d = v
		return nil
	case sql.Scanner:
		return d.Scan(v)
	}
	return assignReflect(dest, v)
}

func mismatch(dest, v any) error {
	if v == nil {
		return fmt.Errorf("null into %T", dest)
	}
	return fmt.Errorf("%T into %T", v, dest)
}

func assignInt(d *int64, v any) error {
	switch v := v.(type) {
	case int64:
		*d = v
	case bool:
		*d = 0
		if v {
			*d = 1
		}
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return fmt.Errorf("%v into an integer", v)
		}
		*d = int64(v)
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return err
		}
		*d = n
	default:
		return mismatch(d, v)
	}
	return nil
}

func assignString(d *string, v any) error {
	switch v := v.(type) {
	case string:
		*d = v
	case []byte:
		*d = string(v)
	case int64:
		*d = strconv.FormatInt(v, 10)
	default:
		return mismatch(d, v)
	}
	return nil
}

func assignBytes(d *[]byte, v any) error {
	switch v := v.(type) {
	case []byte:
		*d = v
	case string:
		*d = []byte(v)
	case nil:
		*d = nil
	default:
		return mismatch(d, v)
	}
	return nil
}

func assignBool(d *bool, v any) error {
	switch v := v.(type) {
	case bool:
		*d = v
	case int64:
		*d = v != 0
	default:
		return mismatch(d, v)
	}
	return nil
}

// assignReflect serves the less common kinds: other integers, floats, named types, and pointers for null.
func assignReflect(dest, v any) error {
	p := reflect.ValueOf(dest)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("destination %T is not a pointer", dest)
	}
	e := p.Elem()
	switch e.Kind() {
	case reflect.Pointer:
		if v == nil {
			e.SetZero()
			return nil
		}
		e.Set(reflect.New(e.Type().Elem()))
		return assign(e.Interface(), v)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return assignAnyInt(e, v)
	case reflect.Float32, reflect.Float64:
		return assignFloat(e, v)
	case reflect.String:
		var s string
		err := assignString(&s, v)
		e.SetString(s)
		return err
	case reflect.Bool:
		var b bool
		err := assignBool(&b, v)
		e.SetBool(b)
		return err
	case reflect.Slice:
		if e.Type().Elem().Kind() == reflect.Uint8 {
			var b []byte
			err := assignBytes(&b, v)
			e.SetBytes(b)
			return err
		}
	}
	return mismatch(dest, v)
}

func assignAnyInt(e reflect.Value, v any) error {
	var n int64
	if err := assignInt(&n, v); err != nil {
		return err
	}
	if e.CanInt() {
		if e.OverflowInt(n) {
			return fmt.Errorf("%d overflows %s", n, e.Type())
		}
		e.SetInt(n)
		return nil
	}
	if n < 0 || e.OverflowUint(uint64(n)) {
		return fmt.Errorf("%d overflows %s", n, e.Type())
	}
	e.SetUint(uint64(n))
	return nil
}

func assignFloat(e reflect.Value, v any) error {
	switch v := v.(type) {
	case float64:
		e.SetFloat(v)
	case int64:
		e.SetFloat(float64(v))
	default:
		return mismatch(e.Addr().Interface(), v)
	}
	return nil
}

// plainArgs turns args into the five kinds that both engines take (int64, float64, bool, string, []byte) or nil.
func plainArgs(args []any) ([]any, error) {
	plain := make([]any, len(args))
	for i, a := range args {
		p, err := plainArg(a)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		plain[i] = p
	}
	return plain, nil
}

func plainArg(a any) (any, error) {
	switch a := a.(type) {
	case nil, int64, string, bool, float64:
		return a, nil
	case int:
		return int64(a), nil
	case []byte:
		if a == nil {
			return nil, nil
		}
		return a, nil
	case driver.Valuer:
		v, err := a.Value()
		if err != nil {
			return nil, err
		}
		if _, again := v.(driver.Valuer); again {
			return nil, fmt.Errorf("%T yields another Valuer", a)
		}
		return plainArg(v)
	}
	return plainReflect(a)
}

func plainReflect(a any) (any, error) {
	v := reflect.ValueOf(a)
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		if v.Elem().Kind() == reflect.Pointer {
			return nil, fmt.Errorf("%T cannot be stored", a)
		}
		return plainArg(v.Elem().Interface())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if v.Uint() > math.MaxInt64 {
			return nil, fmt.Errorf("%d does not fit a bigint", v.Uint())
		}
		return int64(v.Uint()), nil
	case reflect.Float32:
		return v.Float(), nil
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.IsNil() {
				return nil, nil
			}
			return v.Bytes(), nil
		}
	}
	return nil, fmt.Errorf("%T cannot be stored", a)
}
