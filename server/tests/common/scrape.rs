//! `/metrics` as Prometheus reads it: OpenMetrics text, taken at its word.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::TestServer;

const PATIENCE: Duration = Duration::from_secs(20);

/// What one scrape says.
#[derive(Debug, Default)]
pub struct Scrape {
    /// The metrics by name, in the form in which a sample of them is asked for.
    pub metrics: BTreeMap<String, Metric>,
    samples: BTreeMap<String, f64>,
}

/// What is said of a metric before its samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metric {
    pub kind: String,
    pub help: String,
    unit: Option<String>,
}

impl Scrape {
    pub async fn of(server: &TestServer) -> Self {
        let reply = reqwest::get(server.url("/metrics")).await.unwrap();
        let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        Self::parse(&reply.text().await.unwrap())
    }

    /// Scrapes until it is as expected: what is counted is counted a moment after it can be seen.
    pub async fn until(server: &TestServer, expected: impl Fn(&Self) -> bool) -> Self {
        let scraping = async {
            loop {
                let scrape = Self::of(server).await;
                if expected(&scrape) {
                    return scrape;
                }
            }
        };
        match timeout(PATIENCE, scraping).await {
            Ok(scrape) => scrape,
            Err(_) => panic!("it never becomes so: {:#?}", Self::of(server).await.samples),
        }
    }

    /// The value of a sample, with its labels as they are written.
    pub fn get(&self, sample: &str) -> f64 {
        *self.samples.get(sample).unwrap_or_else(|| panic!("no {sample} among {:#?}", self.samples))
    }

    /// Panics at whatever is not well-formed.
    fn parse(text: &str) -> Self {
        let mut scrape = Self::default();
        let mut current = (String::new(), Metric::default());
        let text = text.strip_suffix("# EOF\n").expect("an end");
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let [word, name, rest] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
                if current.0 != name {
                    current = (name.to_owned(), Metric::default());
                }
                match word {
                    "HELP" => current.1.help = rest.to_owned(),
                    "TYPE" => current.1.kind = rest.to_owned(),
                    "UNIT" => current.1.unit = Some(rest.to_owned()),
                    _ => panic!("{line}"),
                }
                continue;
            }
            let (sample, value) = line.rsplit_once(' ').expect(line);
            let (family, metric) = &current;
            let suffix = sample.split('{').next().unwrap().strip_prefix(family.as_str()).expect(line);
            let suffixes: &[&str] = match metric.kind.as_str() {
                "counter" => &["_total"],
                "gauge" => &[""],
                "histogram" => &["_sum", "_count", "_bucket"],
                _ => panic!("{line} is of no type"),
            };
            assert!(suffixes.contains(&suffix) && !metric.help.is_empty(), "{line}");
            assert!(metric.unit.as_ref().is_none_or(|unit| family.ends_with(&format!("_{unit}"))), "{line}");
            let value = value.parse().expect(line);
            assert!(scrape.samples.insert(sample.to_owned(), value).is_none(), "{sample} twice");
            let shown = if metric.kind == "counter" { format!("{family}_total") } else { family.clone() };
            scrape.metrics.insert(shown, metric.clone());
        }
        scrape.check_histograms();
        scrape
    }

    fn check_histograms(&self) {
        for (name, _) in self.metrics.iter().filter(|(_, metric)| metric.kind == "histogram") {
            let prefix = format!("{name}_bucket{{le=\"");
            let mut buckets: Vec<(f64, f64)> = self
                .samples
                .iter()
                .filter_map(|(sample, count)| {
                    let end = sample.strip_prefix(&prefix)?.strip_suffix("\"}")?;
                    Some((end.parse().unwrap(), *count))
                })
                .collect();
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{name} is cumulative: {buckets:?}");
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, self.get(&format!("{name}_count")))));
        }
    }
}
