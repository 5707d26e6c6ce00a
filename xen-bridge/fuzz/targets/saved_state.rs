//! What was saved under /run: a record, or the journal of a change. Whatever
//! a file holds, it is understood or refused; what was understood is written
//! as it was read, and each of its requests can be asked for or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xen_bridge::{Interface, Journal, Order, Step, parse_record};

fn ask(order: &String) {
    let bridge = Interface {
        index: 0,
        name: "xenbr0".to_owned(),
    };
    let Some(step) = Order::step(order, 5) else {
        return;
    };
    let _ = (step.doing("xenbr0"), step.commands("xenbr0"));
    // It is for a file, not for the kernel to do.
    if let Step::HeedRouters(_) = step {
        return;
    }
    let (request, flags) = step.request(&bridge).expect("what was kept can be asked for");
    let numbers: Vec<_> = order.split(' ').take(2).map(str::parse).collect();
    assert_eq!(numbers, [Ok(request.kind), Ok(flags)]);
}

fuzz_target!(|content: &[u8]| {
    if let Some(record) = parse_record(content) {
        assert_eq!(parse_record(record.to_text().as_bytes()).unwrap(), record);
        record.back.iter().for_each(ask);
    }
    if let Some(journal) = Journal::parse(content) {
        let written = journal.to_text();
        assert_eq!(Journal::parse(written.as_bytes()).unwrap(), journal);
        journal.undo.iter().for_each(ask);
    }
});
