use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::Runtime;

use crate::caller::Caller;
use crate::payload::OrderPlaced;
use crate::workload::Append;

/// What a task does again and again.
pub trait AwaitedAppend: Send + 'static {
    fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> impl Future<Output = ()> + Send;
}

/// Tasks that append one event at a time, each with its own store and its own aggregates.
pub struct Tasks<S> {
    runtime: Rc<Runtime>,
    tasks: Vec<Task<S>>,
}

struct Task<S> {
    store: S,
    caller: Caller,
    payloads: [OrderPlaced; 1],
}

impl<S: AwaitedAppend> Tasks<S> {
    /// One per number, which is that of the task's aggregates.
    pub fn new(runtime: &Rc<Runtime>, numbers: Range<usize>, connect: impl Fn() -> S) -> Self {
        let task = |number| Task {
            store: connect(),
            caller: Caller::new(number),
            payloads: [OrderPlaced::example()],
        };
        Self { runtime: Rc::clone(runtime), tasks: numbers.map(task).collect() }
    }

    /// This many appends by all tasks together; each continues as soon as it can.
    pub fn append(&mut self, appends: usize) {
        let begun = Arc::new(AtomicUsize::new(0));
        let spawn = |task: Task<S>| self.runtime.spawn(task.run(Arc::clone(&begun), appends));
        let running: Vec<_> = self.tasks.drain(..).map(spawn).collect();
        for task in running {
            self.tasks.push(self.runtime.block_on(task).expect("a task that ends"));
        }
    }
}

impl<S: AwaitedAppend> Task<S> {
    async fn run(mut self, begun: Arc<AtomicUsize>, appends: usize) -> Self {
        while begun.fetch_add(1, Ordering::Relaxed) < appends {
            self.store.append(&self.caller.next_append(), &self.payloads).await;
        }
        self
    }
}
