// Records what ../plan.tsv says with the SDK of Go; ../README.md says how.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

var interval = 1

// The same in all senders.
func mix(a, b int) uint32 {
	x := uint32(a)*2654435761 ^ uint32(b)*2246822519
	x = (x ^ x>>15) * 2246822519
	return x ^ x>>13
}

func attributes(i int) metric.MeasurementOption {
	return metric.WithAttributes(
		attribute.String("http.route", fmt.Sprintf("/shop/%d/items", i/6)),
		attribute.String("http.request.method", []string{"GET", "POST", "PUT"}[i%3]),
		attribute.Int("http.response.status_code", []int{200, 500}[i/3%2]),
		attribute.Bool("cache.hit", i%2 == 0),
		attribute.String("region", []string{"eu-west", "us-east", "ap-south"}[i/6%3]),
	)
}

type instrument struct {
	scope, kind, name, unit string
	series                  [3]int
	record                  func(value uint32, i int)
}

func (in *instrument) count() int {
	switch {
	case interval < 4:
		return in.series[0]
	case interval < 7:
		return in.series[1]
	}
	return in.series[2]
}

func plan() (found []*instrument) {
	file := must(os.Open(os.Getenv("PLAN")))
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := strings.Split(lines.Text(), "\t")
		in := &instrument{scope: fields[0], kind: fields[1], name: fields[2], unit: fields[3]}
		for at, field := range fields[4:] {
			in.series[at] = must(strconv.Atoi(field))
		}
		found = append(found, in)
	}
	return found
}

func (in *instrument) make(provider *sdk.MeterProvider) {
	meter := provider.Meter(in.scope, metric.WithInstrumentationVersion("1.2.0"))
	unit, description := metric.WithUnit(in.unit), metric.WithDescription("What "+in.name+" tells.")
	ctx := context.Background()
	switch in.kind {
	case "counter":
		counter := must(meter.Int64Counter(in.name, unit, description))
		in.record = func(value uint32, i int) { counter.Add(ctx, int64(value), attributes(i)) }
	case "double_counter":
		counter := must(meter.Float64Counter(in.name, unit, description))
		in.record = func(value uint32, i int) { counter.Add(ctx, float64(value)/8, attributes(i)) }
	case "up_down_counter":
		counter := must(meter.Int64UpDownCounter(in.name, unit, description))
		in.record = func(value uint32, i int) { counter.Add(ctx, int64(value), attributes(i)) }
	case "gauge":
		gauge := must(meter.Float64Gauge(in.name, unit, description))
		in.record = func(value uint32, i int) { gauge.Record(ctx, float64(value)/1000, attributes(i)) }
	case "histogram", "exponential":
		histogram := must(meter.Float64Histogram(in.name, unit, description))
		in.record = func(_ uint32, i int) {
			for j := range 3 {
				histogram.Record(ctx, float64(mix(i+j, interval)%10000)/8, attributes(i))
			}
		}
	case "observable_counter":
		must(meter.Float64ObservableCounter(in.name, unit, description, metric.WithFloat64Callback(in.observe(
			func(value uint32) float64 { return float64(uint32(interval)*1000+value) / 8 }))))
	case "observable_gauge":
		must(meter.Float64ObservableGauge(in.name, unit, description, metric.WithFloat64Callback(in.observe(
			func(value uint32) float64 { return float64(value) / 1000 }))))
	case "observable_up_down_counter":
		must(meter.Int64ObservableUpDownCounter(in.name, unit, description, metric.WithInt64Callback(
			func(_ context.Context, observer metric.Int64Observer) error {
				for i := range in.count() {
					observer.Observe(int64(mix(i, interval)%1000), attributes(i))
				}
				return nil
			})))
	default:
		log.Fatal("unknown kind ", in.kind)
	}
}

func (in *instrument) observe(of func(value uint32) float64) metric.Float64Callback {
	return func(_ context.Context, observer metric.Float64Observer) error {
		for i := range in.count() {
			observer.Observe(of(mix(i, interval)%1000), attributes(i))
		}
		return nil
	}
}

func (in *instrument) recordAll(part uint32) {
	series := make([]int, in.count())
	for i := range series {
		series[i] = i
	}
	slices.SortFunc(series, func(a, b int) int { return int(mix(a, interval+100)) - int(mix(b, interval+100)) })
	for _, i := range series {
		if interval == 1 || interval == 4 || interval == 7 || mix(i, interval+200)%100 < part {
			in.record(mix(i, interval)%1000, i)
		}
	}
}

func main() {
	ctx := context.Background()
	temporality := sdk.CumulativeTemporalitySelector
	if os.Getenv("TEMPORALITY") == "delta" {
		temporality = func(kind sdk.InstrumentKind) metricdata.Temporality {
			if kind == sdk.InstrumentKindUpDownCounter || kind == sdk.InstrumentKindObservableUpDownCounter {
				return metricdata.CumulativeTemporality
			}
			return metricdata.DeltaTemporality
		}
	}
	exporter := must(otlpmetrichttp.New(ctx,
		otlpmetrichttp.WithEndpointURL(os.Getenv("ENDPOINT")),
		otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression),
		otlpmetrichttp.WithTemporalitySelector(temporality)))
	options := []sdk.Option{
		sdk.WithReader(sdk.NewPeriodicReader(exporter, sdk.WithInterval(time.Hour))),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", os.Getenv("OTEL_SERVICE_NAME")),
			attribute.String("service.namespace", "recordings"),
			attribute.String("service.instance.id", "1"),
			attribute.String("telemetry.sdk.language", "go"),
		)),
	}
	instruments := plan()
	for _, in := range instruments {
		if in.kind == "exponential" {
			options = append(options, sdk.WithView(sdk.NewView(sdk.Instrument{Name: in.name},
				sdk.Stream{Aggregation: sdk.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}})))
		}
	}
	provider := sdk.NewMeterProvider(options...)
	for _, in := range instruments {
		in.make(provider)
	}
	part := must(strconv.ParseUint(os.Getenv("PART"), 10, 32))
	pause := must(time.ParseDuration(os.Getenv("PAUSE") + "s"))
	for interval = 1; ; interval++ {
		for _, in := range instruments {
			if in.record != nil {
				in.recordAll(uint32(part))
			}
		}
		time.Sleep(pause)
		// The last export is that of the shutdown.
		if interval == 10 {
			break
		}
		if err := provider.ForceFlush(ctx); err != nil {
			log.Fatal(err)
		}
	}
	if err := provider.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
