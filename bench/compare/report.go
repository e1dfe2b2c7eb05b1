package main

import (
	"fmt"
	"strconv"
	"strings"
)

// report is bench/RESULTS.md.
func (c *comparison) report() string {
	var b strings.Builder
	b.WriteString("# Results\n\nMeasured with `bench/run`; bench/README.md says what each figure means. A number in brackets is how many times better the\n" +
		"first row is than this one. One machine runs server and load tool, so messages and logins per second are those of its processors\n" +
		"shared by both; processor time per unit is the server's alone, with its database.\n")
	for _, s := range scenarios {
		if t := c.results[s.name]; t != nil {
			t.write(&b, s)
		}
	}
	b.WriteString("\n## The web client\n\nSizes and times of the client have a file of their own: [WEB.md](WEB.md).\n")
	return b.String()
}

func (t *table) write(b *strings.Builder, s scenario) {
	fmt.Fprintf(b, "\n## %s\n\n`bench/run %s` · %s · %s\n\n| server |", s.title, s.name, t.When, t.Machine)
	for _, col := range s.columns {
		fmt.Fprintf(b, " %s |", col.head)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(s.columns)) + "\n")
	var first map[string]float64
	versions := []string{}
	for _, one := range servers {
		r, ok := t.Rows[one.name]
		if !ok {
			continue
		}
		if first == nil {
			first = r.Values
		}
		fmt.Fprintf(b, "| %s |", one.name)
		for _, col := range s.columns {
			fmt.Fprintf(b, " %s |", col.cell(r.Values, first))
		}
		b.WriteString("\n")
		if r.Version != "" && !strings.HasPrefix(r.Version, "(devel)") {
			versions = append(versions, r.Version)
		}
	}
	for _, one := range servers {
		if why, ok := t.Failed[one.name]; ok {
			fmt.Fprintf(b, "\n%s did not finish: %s\n", one.name, why)
		}
	}
	t.writeOthers(b)
	if busiest := t.busiest(); busiest > 20 {
		fmt.Fprintf(b, "\nOther programs took up to %.0f %% of a processor meanwhile: times and rates are theirs as much as the servers', and processor time per unit\n"+
			"is higher than on a quiet machine.\n", busiest)
	}
	if len(versions) > 0 {
		fmt.Fprintf(b, "\nVersions: %s.\n", strings.Join(unique(versions), ", "))
	}
}

// keepTimes notes when the rows were measured that are there, before the table is of another time.
func (t *table) keepTimes() {
	for name, r := range t.Rows {
		if r.When == "" {
			r.When = t.When
			t.Rows[name] = r
		}
	}
}

// writeOthers says which rows are of other runs than the table.
func (t *table) writeOthers(b *strings.Builder) {
	runs, names := []string{}, map[string][]string{}
	for _, one := range servers {
		r, ok := t.Rows[one.name]
		if !ok || r.When == "" || r.When == t.When {
			continue
		}
		if names[r.When] == nil {
			runs = append(runs, r.When)
		}
		names[r.When] = append(names[r.When], one.name)
	}
	for _, when := range runs {
		fmt.Fprintf(b, "\nMeasured in another run, at %s: %s.\n", when, strings.Join(names[when], "; "))
	}
}

// busiest is what other programs used at most while a row was measured, in per cent of a processor; 0 if that was not looked at.
func (t *table) busiest() (most float64) {
	for _, r := range t.Rows {
		most = max(most, r.Values["others_cpu_percent"])
	}
	return most
}

// cell is a value, and how the first row compares.
func (col column) cell(values, first map[string]float64) string {
	v, ok := values[col.value]
	if !ok {
		return "–"
	}
	text := col.format(v)
	if base := first[col.value]; col.ratio && base > 0 && v > 0 && base != v {
		ratio := base / v
		if col.smaller {
			ratio = v / base
		}
		text += fmt.Sprintf(" (%.1f)", ratio)
	}
	return text
}

func (col column) format(v float64) string {
	if col.scale != 0 {
		v /= col.scale
	}
	return strconv.FormatFloat(v, 'f', col.digits, 64)
}

func describe(columns []column, values map[string]float64) string {
	var parts []string
	for _, col := range columns {
		if v, ok := values[col.value]; ok {
			parts = append(parts, col.head+" "+col.format(v))
		}
	}
	return strings.Join(parts, " · ")
}

func unique(list []string) []string {
	var out []string
	for i, one := range list {
		if i == 0 || one != list[i-1] {
			out = append(out, one)
		}
	}
	return out
}
