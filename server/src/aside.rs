//! What is done for those who hide, in its order and after everybody else is served: nobody waits
//! for it, so that no clock tells that they are there.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Jobs that may wait; whoever brings one more waits for its turn.
const WAITING: usize = 1024;
/// How much later a job begins, at least: the request that brought it has its answer by then, so that
/// the two do not compete for the database, which the answer's time would tell.
const LATER: Duration = Duration::from_millis(50);

/// The queue, and the task that works it off until this is dropped.
pub struct Aside(mpsc::Sender<(Instant, Job)>);

impl Aside {
    pub fn start() -> Self {
        let (jobs, mut waiting) = mpsc::channel::<(Instant, Job)>(WAITING);
        tokio::spawn(async move {
            while let Some((due, job)) = waiting.recv().await {
                sleep_until(due).await;
                job.await;
            }
        });
        Self(jobs)
    }

    /// Has `job` done after all that came before.
    pub async fn add(&self, job: impl Future<Output = ()> + Send + 'static) {
        // Fails only when the task has ended, and then the server has.
        let _ = self.0.send((Instant::now() + moment(LATER), Box::pin(job))).await;
    }
}

/// At random this long or up to twice as long, so that what is done then falls on nothing that others
/// do in particular.
pub fn moment(least: Duration) -> Duration {
    least + least.mul_f64(f64::from(Uuid::new_v4().as_fields().0) / f64::from(u32::MAX))
}
