// Openmetrics2 reads an exposition on standard input with Prometheus' own parser, as its scraper does, and prints what it read.
//
//	openmetrics2 [-ignore-native] [-legacy-names] CONTENT-TYPE <exposition
//	openmetrics2 [-ignore-native] [-legacy-names] -joined <expositions
//
// Any format that a scraper can ask for is judged by its content type; OpenMetrics 2.0, which a released Prometheus reads behind a
// flag only, is what it was made for. Each thing read is a line of JSON. Where the scraper would give up the whole scrape, or would
// drop a part of it without a word, the exit status is 1 and standard error says why and behind what.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// What Prometheus keeps of an exemplar's labels, names and values together, in characters.
const exemplarLimit = 128

// How much of a scrape's body is read at most.
const bodyLimit = 256 << 20

type options struct {
	joined       bool // many expositions, see joined.go
	ignoreNative bool // as with scrape_native_histograms: false
	legacyNames  bool // as with metric_name_validation_scheme: legacy
}

// entry is one thing that was read. Numbers that JSON cannot hold are text, times are milliseconds.
type entry struct {
	Kind      string            `json:"kind"` // type, help, unit, series, histogram
	Family    string            `json:"family,omitempty"`
	Text      string            `json:"text,omitempty"` // the type, the help, the unit
	Labels    map[string]string `json:"labels,omitempty"`
	Value     string            `json:"value,omitempty"`
	Histogram *native           `json:"histogram,omitempty"`
	Timestamp *int64            `json:"timestamp,omitempty"`
	Start     int64             `json:"start,omitempty"`
	Exemplars []example         `json:"exemplars,omitempty"`
}

// native is a histogram with its spans expanded: each bucket that is not empty by its index.
type native struct {
	Float         bool             `json:"float"`
	Schema        int32            `json:"schema"`
	ZeroThreshold string           `json:"zero_threshold"`
	ZeroCount     string           `json:"zero_count"`
	Count         string           `json:"count"`
	Sum           string           `json:"sum"`
	Positive      map[int32]string `json:"positive"`
	Negative      map[int32]string `json:"negative"`
}

type example struct {
	Labels    map[string]string `json:"labels"`
	Value     string            `json:"value"`
	Timestamp *int64            `json:"timestamp,omitempty"`
}

func main() {
	var o options
	flag.BoolVar(&o.ignoreNative, "ignore-native", false, "read the classic part of histograms only")
	flag.BoolVar(&o.legacyNames, "legacy-names", false, "refuse names that are legal only in UTF-8")
	flag.BoolVar(&o.joined, "joined", false, "read many expositions, each with its content type, and print nothing but what is wrong")
	flag.Parse()
	if o.joined && flag.NArg() == 0 {
		os.Exit(joined(os.Stdin, o))
	}
	if o.joined || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: openmetrics2 [-ignore-native] [-legacy-names] (CONTENT-TYPE | -joined) <exposition")
		os.Exit(2)
	}
	body, err := io.ReadAll(io.LimitReader(os.Stdin, bodyLimit+1))
	if err == nil && len(body) > bodyLimit {
		err = fmt.Errorf("more than %d bytes", bodyLimit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	err = judge(body, flag.Arg(0), o, func(e entry) error { return out.Encode(e) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// judge walks an exposition as the scraper's loop does, and hands out each thing it reads.
func judge(body []byte, contentType string, o options, out func(entry) error) error {
	if len(body) == 0 {
		// The scraper takes an empty body for an empty scrape before it looks at anything else.
		return nil
	}
	p, err := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{
		EnableOpenMetrics2:                      true,
		IgnoreNativeHistograms:                  o.ignoreNative,
		KeepClassicOnClassicAndNativeHistograms: true,
		OpenMetricsSkipSTSeries:                 true,
	})
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	last := "the beginning"
	for count := 0; ; count++ {
		e, err := next(p, o, seen)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("entry %d, behind %s: %w", count+1, last, err)
		}
		if err := out(e); err != nil {
			return err
		}
		last = e.place()
	}
}

func next(p textparse.Parser, o options, seen map[string]bool) (entry, error) {
	kind, err := p.Next()
	if err != nil {
		return entry{}, err
	}
	switch kind {
	case textparse.EntryType:
		family, typ := p.Type()
		return entry{Kind: "type", Family: string(family), Text: string(typ)}, nil
	case textparse.EntryHelp:
		family, help := p.Help()
		return entry{Kind: "help", Family: string(family), Text: string(help)}, nil
	case textparse.EntryUnit:
		family, unit := p.Unit()
		return entry{Kind: "unit", Family: string(family), Text: string(unit)}, nil
	case textparse.EntrySeries, textparse.EntryHistogram:
		return sample(p, kind, o, seen)
	}
	// A comment: no writer of ours has any.
	return entry{}, fmt.Errorf("an entry of kind %d", kind)
}

func sample(p textparse.Parser, kind textparse.Entry, o options, seen map[string]bool) (entry, error) {
	var e entry
	if kind == textparse.EntryHistogram {
		_, timestamp, whole, float := p.Histogram()
		n, err := expand(whole, float)
		if err != nil {
			return e, err
		}
		e = entry{Kind: "histogram", Histogram: n, Timestamp: timestamp}
	} else {
		_, timestamp, value := p.Series()
		e = entry{Kind: "series", Value: number(value), Timestamp: timestamp}
	}
	var set labels.Labels
	p.Labels(&set)
	if err := check(set, e.Kind, o, seen); err != nil {
		return e, err
	}
	e.Labels = set.Map()
	e.Start = p.StartTimestamp()
	for x := (exemplar.Exemplar{}); p.Exemplar(&x); x = (exemplar.Exemplar{}) {
		made, err := exemplarOf(x, kind)
		if err != nil {
			return e, fmt.Errorf("an exemplar of %s: %w", set, err)
		}
		e.Exemplars = append(e.Exemplars, made)
	}
	return e, nil
}

// check refuses the labels for which the scraper gives up, and those for which it drops the sample.
func check(set labels.Labels, kind string, o options, seen map[string]bool) error {
	scheme := model.UTF8Validation
	if o.legacyNames {
		scheme = model.LegacyValidation
	}
	if !set.Has(model.MetricNameLabel) {
		return errors.New("a sample without a name")
	}
	if !set.IsValid(scheme) {
		return fmt.Errorf("a name that is not valid: %s", set)
	}
	if name, twice := set.HasDuplicateLabelNames(); twice {
		return fmt.Errorf("label %s twice: %s", name, set)
	}
	key := kind + set.String()
	if seen[key] {
		return fmt.Errorf("there twice: %s", set)
	}
	seen[key] = true
	return nil
}

func exemplarOf(x exemplar.Exemplar, kind textparse.Entry) (example, error) {
	made := example{Labels: x.Labels.Map(), Value: number(x.Value)}
	if x.HasTs {
		made.Timestamp = &x.Ts
	} else if kind == textparse.EntryHistogram {
		return made, errors.New("no time, so it is dropped")
	}
	if name, twice := x.Labels.HasDuplicateLabelNames(); twice {
		return made, fmt.Errorf("label %s twice", name)
	}
	length := 0
	x.Labels.Range(func(l labels.Label) { length += utf8.RuneCountInString(l.Name) + utf8.RuneCountInString(l.Value) })
	if length > exemplarLimit {
		return made, fmt.Errorf("%d characters of labels", length)
	}
	return made, nil
}

// expand checks a histogram as the storage does, and turns its spans and deltas into buckets.
func expand(whole *histogram.Histogram, float *histogram.FloatHistogram) (*native, error) {
	if float != nil {
		if err := float.Validate(); err != nil {
			return nil, err
		}
		n := head(true, float.Schema, float.ZeroThreshold, float.Sum)
		n.ZeroCount, n.Count = number(float.ZeroCount), number(float.Count)
		fill(n.Positive, float.PositiveBucketIterator(), number)
		fill(n.Negative, float.NegativeBucketIterator(), number)
		return n, nil
	}
	if whole == nil {
		return nil, errors.New("a histogram that is none")
	}
	if err := whole.Validate(); err != nil {
		return nil, err
	}
	n := head(false, whole.Schema, whole.ZeroThreshold, whole.Sum)
	n.ZeroCount, n.Count = integer(whole.ZeroCount), integer(whole.Count)
	fill(n.Positive, whole.PositiveBucketIterator(), integer)
	fill(n.Negative, whole.NegativeBucketIterator(), integer)
	return n, nil
}

func head(float bool, schema int32, threshold, sum float64) *native {
	return &native{
		Float: float, Schema: schema, ZeroThreshold: number(threshold), Sum: number(sum),
		Positive: map[int32]string{}, Negative: map[int32]string{},
	}
}

func fill[C histogram.BucketCount](into map[int32]string, buckets histogram.BucketIterator[C], text func(C) string) {
	for buckets.Next() {
		if bucket := buckets.At(); bucket.Count != 0 {
			into[bucket.Index] = text(bucket.Count)
		}
	}
}

func (e entry) place() string {
	if e.Family != "" {
		return fmt.Sprintf("the %s of %s", e.Kind, e.Family)
	}
	return labels.FromMap(e.Labels).String()
}

func number(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

func integer(value uint64) string { return strconv.FormatUint(value, 10) }
