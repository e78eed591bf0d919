package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	text0       = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
	openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
	coming      = "application/openmetrics-text; version=2.0.0; charset=utf-8; escaping=allow-utf-8"
)

func read(body, contentType string, o options) (string, error) {
	var lines strings.Builder
	err := judge([]byte(body), contentType, o, func(e entry) error {
		line, err := json.Marshal(e)
		lines.Write(append(line, '\n'))
		return err
	})
	return lines.String(), err
}

// What the items O-04 to O-16 say is right.
func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/*.om2")
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read(string(body), coming, options{}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What is printed, for one of each kind.
func TestPrinted(t *testing.T) {
	rows := []struct{ name, contentType, body, want string }{
		{"a counter", text0, "# HELP c Some.\n# TYPE c counter\nc{a=\"1\"} 5 1000\n",
			`{"kind":"help","family":"c","text":"Some."}
{"kind":"type","family":"c","text":"counter"}
{"kind":"series","labels":{"__name__":"c","a":"1"},"value":"5","timestamp":1000}
`},
		{"special values", text0, "g NaN\nh -Inf\n",
			`{"kind":"series","labels":{"__name__":"g"},"value":"NaN"}
{"kind":"series","labels":{"__name__":"h"},"value":"-Inf"}
`},
		{"an exemplar and a start", openmetrics, "# TYPE c counter\n# UNIT c \nc_total 1 # {t=\"x\"} 0.5 2\nc_created 1.5\n# EOF\n",
			`{"kind":"type","family":"c","text":"counter"}
{"kind":"unit","family":"c"}
{"kind":"series","labels":{"__name__":"c_total"},"value":"1","start":1500,"exemplars":[{"labels":{"t":"x"},"value":"0.5","timestamp":2000}]}
`},
		{"spans", coming, "# TYPE e histogram\ne {count:37,sum:100,schema:3,zero_threshold:0.001,zero_count:0,positive_spans:[4:1,2:3],positive_buckets:[10,20,5,2]} st@1.5\n# EOF\n",
			`{"kind":"type","family":"e","text":"histogram"}
{"kind":"histogram","labels":{"__name__":"e"},"histogram":{"float":false,"schema":3,"zero_threshold":"0.001","zero_count":"0","count":"37","sum":"100","positive":{"4":"10","7":"20","8":"5","9":"2"},"negative":{}},"start":1500}
`},
		{"nothing", text0, "", ""},
		{"the end alone", coming, "# EOF\n", ""},
	}
	for _, row := range rows {
		if got, err := read(row.body, row.contentType, options{}); err != nil || got != row.want {
			t.Errorf("%s: %v\n got %s\nwant %s", row.name, err, got, row.want)
		}
	}
}

func TestBroken(t *testing.T) {
	rows := []struct{ name, contentType, body, complaint string }{
		{"a blank line", coming, "# TYPE g gauge\n\ng 1\n# EOF\n", "behind the type of g"},
		{"a comment", coming, "# TYPE g gauge\n# nothing\ng 1\n# EOF\n", "behind the type of g"},
		{"untyped", coming, "# TYPE g untyped\ng 1\n# EOF\n", "untyped"},
		{"no end", coming, "# TYPE g gauge\ng 1\n", "EOF"},
		{"data behind the end", coming, "# TYPE g gauge\ng 1\n# EOF\ng 2\n", "EOF"},
		{"CRLF", coming, "# TYPE g gauge\r\ng 1\r\n# EOF\r\n", "behind the beginning"},
		{"two blanks", coming, "# TYPE g gauge\ng  1\n# EOF\n", "behind the type of g"},
		{"a trailing blank", coming, "# TYPE g gauge\ng 1 \n# EOF\n", "behind the type of g"},
		{"an exemplar without time", coming, "# TYPE c_total counter\nc_total 1 # {a=\"b\"} 1\n# EOF\n", "exemplar"},
		{"a label le", coming, "# TYPE h histogram\nh{le=\"x\"} {count:1,sum:1,bucket:[+Inf:1]}\n# EOF\n", "le"},
		{"a count that is not the buckets'", coming, "# TYPE e histogram\ne {count:3,sum:1,schema:0,zero_threshold:0,zero_count:0,positive_spans:[1:1],positive_buckets:[2]}\n# EOF\n", "count"},
		{"an integer beyond f64", coming, "# TYPE e histogram\ne {count:9007199254740993,sum:10,schema:0,zero_threshold:1e-128,zero_count:0,positive_spans:[3:1],positive_buckets:[9007199254740993]}\n# EOF\n", "count"},
		{"a quoted name where names are legacy", coming, "{\"foo.bar\"} 1\n# EOF\n", "foo.bar"},
		{"unknown in text", text0, "# TYPE g unknown\ng 1\n", "unknown"},
		{"an exemplar in text", text0, "# TYPE c counter\nc 1 # {a=\"b\"} 1\n", "behind the type of c"},
		{"a label twice", text0, "g{a=\"1\",a=\"2\"} 1\n", "label a twice"},
		{"a line twice", text0, "g{a=\"1\",b=\"2\"} 1\ng{b=\"2\",a=\"1\"} 2\n", "there twice"},
		{"invalid UTF-8", text0, "g{a=\"\xff\"} 1\n", "UTF-8"},
		{"a unit that is no suffix", openmetrics, "# TYPE g gauge\n# UNIT g seconds\ng 1\n# EOF\n", "unit"},
		{"a long exemplar", openmetrics, "# TYPE c counter\nc_total 1 # {a=\"" + strings.Repeat("é", 128) + "\"} 1 1\n# EOF\n", "129 characters"},
		{"no content type", "", "g 1\n", "Content-Type"},
		{"another content type", "text/html", "g 1\n", "text/html"},
		{"protobuf that is none", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", "\x05abc", "beginning"},
	}
	for _, row := range rows {
		got, err := read(row.body, row.contentType, options{legacyNames: strings.Contains(row.name, "legacy")})
		if err == nil || !strings.Contains(err.Error(), row.complaint) {
			t.Errorf("%s: %v\n%s", row.name, err, got)
		}
	}
}
