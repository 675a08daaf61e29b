use std::fmt::{Error, Write as _};
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// One label: its name and its value.
type Label = [(&'static str, &'static str); 1];

/// How long checks took, by their kind.
#[derive(Debug, Clone)]
pub struct Latency(Family<Label, Histogram, fn() -> Histogram>);

impl Default for Latency {
    fn default() -> Self {
        // From a millisecond to half a minute.
        Self(Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 16))))
    }
}

impl Latency {
    /// Takes in how long a check of this kind took.
    pub fn observe(&self, kind: &'static str, took: std::time::Duration) {
        self.0.get_or_create(&[("check", kind)]).observe(took.as_secs_f64());
    }
}

/// Labels of a series; series of different families share them.
pub type Labels = Arc<Vec<(String, String)>>;

/// Families of metrics with the values that they have now.
#[derive(Debug, Default)]
pub struct Families(Vec<Rows>);

#[derive(Debug)]
struct Rows {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    kind: MetricType,
    rows: Vec<(Labels, u64)>,
}

impl Families {
    /// Adds counters; their names get the suffix `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str, rows: impl IntoIterator<Item = (Labels, u64)>) {
        self.push(name, help, None, MetricType::Counter, rows);
    }

    /// Adds counters of bytes; their names get the suffix `_bytes_total`.
    pub fn bytes(&mut self, name: &'static str, help: &'static str, rows: impl IntoIterator<Item = (Labels, u64)>) {
        self.push(name, help, Some(Unit::Bytes), MetricType::Counter, rows);
    }

    /// Adds gauges.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, rows: impl IntoIterator<Item = (Labels, u64)>) {
        self.push(name, help, None, MetricType::Gauge, rows);
    }

    fn push(
        &mut self,
        name: &'static str,
        help: &'static str,
        unit: Option<Unit>,
        kind: MetricType,
        rows: impl IntoIterator<Item = (Labels, u64)>,
    ) {
        self.0.push(Rows { name, help, unit, kind, rows: rows.into_iter().collect() });
    }

    /// All of it in the OpenMetrics text format, with the latency of checks if there is one.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn render(self, latency: Option<&Latency>) -> Result<String, Error> {
        let mut registry = Registry::default();
        if let Some(latency) = latency {
            let help = "Time that checks took, by kind";
            registry.register_with_unit("lvsd_check_duration", help, Unit::Seconds, latency.0.clone());
        }
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        for Rows { name, help, unit, kind, rows } in &self.0 {
            let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), *kind)?;
            for (labels, value) in rows {
                let row = family.encode_family(&**labels)?;
                match kind {
                    MetricType::Counter => ConstCounter::new(*value).encode(row)?,
                    // Gauges are signed; none of these comes near 2^63.
                    _ => ConstGauge::new(i64::try_from(*value).unwrap_or(i64::MAX)).encode(row)?,
                }
            }
        }
        Ok(())
    }
}

/// The same metrics in the text format from before OpenMetrics, which old scrapers and
/// `promtool check metrics` read: there a counter is declared with its suffix, and units are not.
pub fn classic(text: &str) -> String {
    let mut counters = std::collections::HashSet::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" counter")) {
            counters.insert(name);
        }
    }
    let mut classic = String::with_capacity(text.len());
    for line in text.lines() {
        let declared = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        let name = declared.and_then(|rest| rest.split(' ').next());
        match (declared, name) {
            (Some(rest), Some(name)) if counters.contains(name) => {
                // Writing to a string does not fail.
                let _ = writeln!(classic, "{}{name}_total{}", &line[..7], &rest[name.len()..]);
            }
            (None, None) if line.starts_with("# UNIT ") || line == "# EOF" => {}
            _ => {
                classic.push_str(line);
                classic.push('\n');
            }
        }
    }
    classic
}
