package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// addRaw decodes one row as the server sent it and adds it to rows.
func addRaw(rows *Rows, types *pgtype.Map, fields []pgconn.FieldDescription, raw [][]byte) error {
	for i, b := range raw {
		v, err := decode(types, fields[i], b)
		if err != nil {
			return fmt.Errorf("column %s: %w", fields[i].Name, err)
		}
		if err := rows.add(v); err != nil {
			return err
		}
	}
	return nil
}

// decode gives the same kinds of values as SQLite does. numeric (the type of sum(bigint)) becomes an integer if it is
// whole, else a float.
func decode(types *pgtype.Map, f pgconn.FieldDescription, b []byte) (any, error) {
	if b == nil {
		return nil, nil
	}
	binaryFormat := f.Format == pgtype.BinaryFormatCode
	switch f.DataTypeOID {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.UnknownOID:
		return string(b), nil
	case pgtype.Int8OID:
		if binaryFormat && len(b) == 8 {
			return int64(binary.BigEndian.Uint64(b)), nil
		}
	case pgtype.ByteaOID:
		if binaryFormat {
			return append([]byte{}, b...), nil
		}
	}
	t, ok := types.TypeForOID(f.DataTypeOID)
	if !ok {
		return nil, fmt.Errorf("type %d is not supported", f.DataTypeOID)
	}
	v, err := t.Codec.DecodeDatabaseSQLValue(types, f.DataTypeOID, f.Format, b)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(string); ok && f.DataTypeOID == pgtype.NumericOID {
		return number(s)
	}
	if _, err := plainArg(v); err != nil {
		return nil, fmt.Errorf("type %s is not supported", t.Name)
	}
	return v, nil
}

func number(s string) (any, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	return strconv.ParseFloat(s, 64)
}

// elementTypes are the column types that appended rows may have, with the name of their array type.
var elementTypes = map[uint32]string{
	pgtype.Int8OID:    "int8[]",
	pgtype.Int4OID:    "int4[]",
	pgtype.Int2OID:    "int2[]",
	pgtype.TextOID:    "text[]",
	pgtype.VarcharOID: "text[]",
	pgtype.ByteaOID:   "bytea[]",
	pgtype.BoolOID:    "bool[]",
	pgtype.Float8OID:  "float8[]",
}

// appendArray appends column i of rows as a one-dimensional array in PostgreSQL's binary format (array_send).
func appendArray(buf []byte, rows [][]any, i int, oid uint32) ([]byte, error) {
	if oid == pgtype.VarcharOID {
		oid = pgtype.TextOID
	}
	for _, n := range []uint32{1, 1, oid, uint32(len(rows)), 1} { // dimensions, may hold nulls, type, length, lower bound
		buf = binary.BigEndian.AppendUint32(buf, n)
	}
	var err error
	for _, row := range rows {
		if buf, err = appendElement(buf, row[i], oid); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

func appendElement(buf []byte, v any, oid uint32) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return binary.BigEndian.AppendUint32(buf, math.MaxUint32), nil
	case int64:
		return appendInt(buf, v, oid)
	case string:
		if oid == pgtype.TextOID || oid == pgtype.ByteaOID {
			return append(binary.BigEndian.AppendUint32(buf, uint32(len(v))), v...), nil
		}
	case []byte:
		if oid == pgtype.TextOID || oid == pgtype.ByteaOID {
			return append(binary.BigEndian.AppendUint32(buf, uint32(len(v))), v...), nil
		}
	case bool:
		if oid == pgtype.BoolOID {
			var b byte
			if v {
				b = 1
			}
			return append(binary.BigEndian.AppendUint32(buf, 1), b), nil
		}
	case float64:
		if oid == pgtype.Float8OID {
			buf = binary.BigEndian.AppendUint32(buf, 8)
			return binary.BigEndian.AppendUint64(buf, math.Float64bits(v)), nil
		}
	}
	return nil, fmt.Errorf("a %T does not fit %s", v, elementTypes[oid])
}

func appendInt(buf []byte, v int64, oid uint32) ([]byte, error) {
	switch {
	case oid == pgtype.Int8OID:
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(buf, 8), uint64(v)), nil
	case oid == pgtype.Float8OID:
		return appendElement(buf, float64(v), oid)
	case oid == pgtype.Int4OID && v == int64(int32(v)):
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(buf, 4), uint32(v)), nil
	case oid == pgtype.Int2OID && v == int64(int16(v)):
		return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(buf, 2), uint16(v)), nil
	}
	return nil, fmt.Errorf("%d does not fit %s", v, elementTypes[oid])
}
