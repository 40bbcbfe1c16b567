use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[test]
fn everything_is_there_after_a_restart() {
    let mut agent = Agent::new();
    agent.add("c1", "red/web");
    let kept = agent.reserve("c2", "red/db");
    let (attached, reserved) = (agent.store.attached().clone(), agent.store.reserved().clone());
    agent.restart();
    assert_eq!((agent.store.attached(), agent.store.reserved()), (&attached, &reserved));
    assert_eq!(agent.reserve("c2", "red/db"), kept, "the same ones again");
}

#[test]
fn an_address_that_was_freed_is_given_late_also_after_a_restart() {
    let mut agent = Agent::new();
    let first = agent.add("c1", "red/web");
    agent.ask(Request::Detach(id("c1")));
    agent.restart();
    assert_ne!(agent.add("c2", "red/web").addresses, first.addresses);
}

#[test]
fn interfaces_that_are_gone_go_at_once_and_reservations_when_they_were_missed_twice() {
    let mut agent = Agent::new();
    agent.add("c1", "red/web");
    agent.add("c2", "red/db");
    agent.reserve("c3", "red/db");
    let there = |name: &str| name == host_interface(&id("c2"));
    assert!(agent.store.sweep(there).unwrap(), "a circuit has gone");
    assert_eq!(agent.store.attached().keys().collect::<Vec<_>>(), [&id("c2")]);
    assert_eq!(agent.store.reserved().len(), 1, "its interface may just be being made");
    assert!(!agent.store.sweep(there).unwrap());
    assert!(agent.store.reserved().is_empty());
    agent.restart();
    assert_eq!((agent.store.attached().len(), agent.store.reserved().len()), (1, 0));
}

#[test]
fn a_broken_file_is_put_aside_and_the_others_are_read() {
    let mut agent = Agent::new();
    agent.add("c1", "red/web");
    fs::write(agent.folder.0.join("c9@eth0.json"), "{").unwrap();
    fs::write(agent.folder.0.join("c8@eth0.new"), "half").unwrap();
    let loaded = Attachments::load(&agent.folder.0).unwrap();
    assert_eq!(loaded.attachments.attached().len(), 1);
    assert!(loaded.problems[0].contains("c9@eth0.broken") && loaded.problems[0].contains("recreate the pod"));
    let mut names: Vec<_> =
        fs::read_dir(&agent.folder.0).unwrap().map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["c1@eth0.json", "c9@eth0.broken", "cursors.json"]);
    assert!(Attachments::load(&agent.folder.0).unwrap().problems.is_empty(), "said once");
}

#[test]
fn a_folder_that_cannot_be_written_refuses_and_changes_nothing() {
    let mut agent = Agent::new();
    fs::remove_dir_all(&agent.folder.0).unwrap();
    let (code, message) = agent.refused(reserve("c1", "red/web"));
    assert!(code == code::IO && message.contains("--state-dir"), "{message}");
    assert!(agent.store.reserved().is_empty());
}

#[derive(Clone, Debug)]
enum Act {
    Add(u8, bool),
    Reserve(u8, bool),
    Del(u8),
    Restart,
    Gc(BTreeSet<u8>),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..9_u8, any::<bool>()).prop_map(|(n, red)| Act::Add(n, red)),
        2 => (0..9_u8, any::<bool>()).prop_map(|(n, red)| Act::Reserve(n, red)),
        3 => (0..9_u8).prop_map(Act::Del),
        1 => Just(Act::Restart),
        1 => proptest::collection::btree_set(0..9_u8, 5..9).prop_map(Act::Gc),
    ]
}

fn perform(agent: &mut Agent, act: Act) {
    let of = |red| if red { "red/web" } else { "blue/web" };
    match act {
        Act::Add(n, red) => {
            let (name, of) = (format!("c{n}"), of(red));
            if let Step::Answer(Response::Reserved(reservation)) = agent.ask(reserve(&name, of)) {
                let step = agent.ask(Request::Attach(made(&name, of, &reservation)));
                assert!(matches!(step, Step::Program { .. }), "{step:?}");
            }
        }
        Act::Reserve(n, red) => drop(agent.ask(reserve(&format!("c{n}"), of(red)))),
        Act::Del(n) => drop(agent.ask(Request::Detach(id(&format!("c{n}"))))),
        Act::Restart => agent.restart(),
        Act::Gc(valid) => {
            let valid = valid.into_iter().map(|n| id(&format!("c{n}"))).collect();
            agent.ask(Request::Retain { network: "net".to_owned(), valid });
        }
    }
}

/// How many have each address, by VRF.
fn holders(store: &Attachments) -> BTreeMap<(String, std::net::IpAddr), u32> {
    let attached = store.attached().values().map(|it| (&it.vrf, &it.attachment.addresses));
    let reserved = store.reserved().values().map(|it| (&it.vrf, &it.addresses));
    let mut holders = BTreeMap::new();
    for (vrf, addresses) in attached.chain(reserved) {
        for address in addresses {
            *holders.entry((vrf.clone(), *address)).or_default() += 1;
        }
    }
    holders
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_address_is_given_twice_and_nothing_is_lost_whatever_happens(acts in proptest::collection::vec(act(), 1..40)) {
        let mut agent = Agent::new();
        for act in acts {
            perform(&mut agent, act.clone());
            let twice: Vec<_> = holders(&agent.store).into_iter().filter(|(_, count)| *count > 1).collect();
            prop_assert!(twice.is_empty(), "{twice:?} after {act:?}");
            let read = agent.folder.load();
            prop_assert_eq!(read.attached(), agent.store.attached());
            prop_assert_eq!(read.reserved(), agent.store.reserved());
        }
    }
}
