// The types that a dashboard file is checked against: Grafana's own for dashboard and panels, with nothing beside them
// allowed, and two of ours for what only the Prometheus data source knows. schema.sh makes a JSON Schema of it.
// A kind of panel that the boards do not use yet is added to `Panels`.
import type * as Dashboards from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as BarGauge from './node_modules/@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import type * as Gauge from './node_modules/@grafana/schema/dist/types/raw/composable/gauge/panelcfg/x/types.gen';
import type * as Heatmap from './node_modules/@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen';
import type * as Stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as StateTimeline from './node_modules/@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import type * as Table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as Text from './node_modules/@grafana/schema/dist/types/raw/composable/text/panelcfg/x/types.gen';
import type * as TimeSeries from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

type None = Record<string, never>;

interface Target {
  refId: string;
  datasource: Dashboards.DataSourceRef;
  expr: string;
  editorMode?: 'code' | 'builder';
  legendFormat?: string;
  format?: 'time_series' | 'table' | 'heatmap';
  range?: boolean;
  instant?: boolean;
  exemplar?: boolean;
  interval?: string;
  hide?: boolean;
}

type Annotation = Omit<Dashboards.AnnotationQuery, 'target'> & {
  target: { refId: string; expr: string; interval?: string };
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
  useValueForTime?: boolean;
};

type Common = Omit<Dashboards.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>;

// Options and field settings are partial, since Grafana fills in its defaults.
type Panel<Type extends string, Options, Custom> = Common & {
  type: Type;
  options: Partial<Options>;
  fieldConfig: {
    defaults: Omit<Dashboards.FieldConfig, 'custom'> & { custom?: Partial<Custom> };
    overrides: Dashboards.FieldConfigSource['overrides'];
  };
  targets: Target[];
};

interface Panels {
  timeseries: Panel<'timeseries', TimeSeries.Options, TimeSeries.FieldConfig>;
  stat: Panel<'stat', Stat.Options, None>;
  gauge: Panel<'gauge', Gauge.Options, None>;
  bargauge: Panel<'bargauge', BarGauge.Options, None>;
  heatmap: Panel<'heatmap', Heatmap.Options, Heatmap.FieldConfig>;
  table: Panel<'table', Table.Options, Table.FieldConfig>;
  'state-timeline': Panel<'state-timeline', StateTimeline.Options, StateTimeline.FieldConfig>;
  text: Common & { type: 'text'; options: Text.Options };
  row: Omit<Dashboards.RowPanel, 'panels'> & { panels: unknown[] };
}

export interface Checked {
  dashboard: Omit<Dashboards.Dashboard, 'panels' | 'annotations'> & {
    uid: string;
    title: string;
    annotations: { list: Annotation[] };
    // Each panel is checked on its own, against the type that it says it is of.
    panels: unknown[];
  };
  panels: Panels;
}
