//! What is made for every event is made without copies: counted at the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use diesel_event_store::{InvalidInput, NewEvent};

/// Counts per thread, so that tests beside this one do not matter.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: it hands everything to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as of the caller.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let outcome = work();
    (COUNT.get() - before, outcome)
}

#[test]
fn a_name_in_the_code_is_not_copied() -> Result<(), InvalidInput> {
    let paid = || NewEvent::from_json("OrderPaid", "{}");
    paid()?; // The generator of ids is set up once.
    let (count, event) = allocations_of(paid);
    assert_eq!((count, event?.event_type()), (1, "OrderPaid"), "only the payload is allocated");
    Ok(())
}

#[test]
fn any_other_name_is_copied_once_and_shared_by_clones() -> Result<(), InvalidInput> {
    let name = String::from("OrderPaid");
    let event = NewEvent::from_json(name, "{}")?;
    let (count, clone) = allocations_of(|| event.clone());
    assert_eq!((count, clone.event_type()), (1, "OrderPaid"), "only the payload is allocated");
    Ok(())
}

#[cfg(feature = "derive")]
#[test]
fn a_typed_event_costs_what_its_json_costs() -> Result<(), Box<dyn std::error::Error>> {
    use diesel_event_store::Event;

    #[derive(serde::Serialize)]
    struct Noted {
        text: String,
    }

    #[derive(Event)]
    enum OrderEvent {
        #[event(name = "OrderNoted")]
        Noted { text: String },
    }

    let (by_hand, typed) = (Noted { text: "gift".into() }, OrderEvent::Noted { text: "gift".into() });
    let (of_json, json) = allocations_of(|| serde_json::to_string(&by_hand).map(String::into_boxed_str));
    let (of_event, event) = allocations_of(|| typed.to_new());
    assert_eq!((of_event, event?.payload_json()), (of_json, &*json?));
    Ok(())
}
