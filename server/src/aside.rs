//! What is done for those who hide, in its order and after everybody else is served: nobody waits
//! for it, so that no clock tells that they are there.

use std::pin::Pin;

use tokio::sync::mpsc;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Jobs that may wait; whoever brings one more waits for its turn.
const WAITING: usize = 1024;

/// The queue, and the task that works it off until this is dropped.
pub struct Aside(mpsc::Sender<Job>);

impl Aside {
    pub fn start() -> Self {
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING);
        tokio::spawn(async move {
            while let Some(job) = waiting.recv().await {
                job.await;
            }
        });
        Self(jobs)
    }

    /// Has `job` done after all that came before.
    pub async fn add(&self, job: impl Future<Output = ()> + Send + 'static) {
        // Fails only when the task has ended, and then the server has.
        let _ = self.0.send(Box::pin(job)).await;
    }
}
