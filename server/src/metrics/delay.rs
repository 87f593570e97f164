//! A histogram of delays that many connections write to at once: nothing but atomic additions,
//! where the library's own takes a lock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// The upper ends of the buckets, in seconds: from what nobody notices to what everybody does.
const ENDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, f64::INFINITY];

/// How long something took, each time. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Delays(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    buckets: [AtomicU64; ENDS.len()],
    nanoseconds: AtomicU64,
}

impl Delays {
    /// What began at each of these moments is done now.
    pub fn observe_since(&self, beginnings: impl IntoIterator<Item = Instant>) {
        let now = Instant::now();
        let mut buckets = [0; ENDS.len()];
        let mut sum = Duration::ZERO;
        for beginning in beginnings {
            let delay = now.saturating_duration_since(beginning);
            let seconds = delay.as_secs_f64();
            buckets[ENDS.partition_point(|end| *end < seconds)] += 1;
            sum += delay;
        }
        // Others write there too: once for all.
        for (count, more) in self.0.buckets.iter().zip(buckets).filter(|(_, more)| *more > 0) {
            count.fetch_add(more, Relaxed);
        }
        self.0.nanoseconds.fetch_add(u64::try_from(sum.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl TypedMetric for Delays {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Delays {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let Counts { buckets, nanoseconds } = &*self.0;
        let seconds = Duration::from_nanos(nanoseconds.load(Relaxed)).as_secs_f64();
        let buckets: Vec<_> = ENDS.into_iter().zip(buckets.iter().map(|count| count.load(Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(seconds, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}
