//! What is pinned outlives the process, and the next one takes it over. Needs root.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/lab.rs"]
mod lab;

use std::collections::BTreeSet;

use lab::Lab;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane, State,
    ebpf::{Attach, Attachment, Fault, Mechanism, Opened, Options, Role, Sizes},
    model::{Circuit, IfIndex, LocalSid, NextHop, SidRole, Vrf},
};
use srv6_types::{Behavior, Sid, VrfId};

const RED: VrfId = VrfId(1);

fn circuit(vrf: VrfId) -> Circuit {
    Circuit {
        vrf,
        mtu: 1500,
        mac: [2, 0, 0, 0, 0, 1],
        gateway4: Some([10, 0, 0, 254].into()),
        gateway6: None,
        filter: None,
        proxy: false,
        probes: false,
        strict: false,
        host_mac: None,
    }
}

fn sid(function: u16) -> Sid {
    std::net::Ipv6Addr::new(0xfc00, 0, 1, function, 0, 0, 0, 0).into()
}

fn encapsulate(to: Sid) -> NextHop {
    NextHop::Encapsulate { segments: vec![to], reduced: true }
}

fn state(circuits: &[IfIndex], core: &[IfIndex]) -> State {
    let mut state = State { core: core.iter().copied().collect(), ..State::default() };
    state.node.source = Some("2001:db8::1".parse().unwrap());
    state.node.locators = ["fc00:0:1::/48".parse().unwrap()].into();
    state.node.domain = ["fc00::/16".parse().unwrap()].into();
    state.vrfs.insert(RED, Vrf::default());
    state.circuits = circuits.iter().map(|interface| (*interface, circuit(RED))).collect();
    state.sids.insert(sid(1), LocalSid { behavior: Behavior::END_DT46, vrf: RED, role: SidRole::Deliver });
    state.routes.insert((RED, "10.1.0.0/16".parse().unwrap()), encapsulate(sid(9)));
    state.routes.insert((RED, "2001:db8:1::/48".parse().unwrap()), encapsulate(sid(9)));
    state
}

fn reach(dataplane: &mut EbpfDataplane, wanted: &State) {
    let changes = Change::between(&dataplane.observe().unwrap(), wanted);
    dataplane.apply_all(&changes).unwrap();
    assert_eq!(dataplane.observe().unwrap(), *wanted);
}

fn open(lab: &Lab) -> EbpfDataplane {
    EbpfDataplane::open(&lab.options()).unwrap()
}

/// A veth pair whose ends both stay here; the index of the end `name`.
fn veth(lab: &Lab, name: &str) -> IfIndex {
    lab.ip(&format!("link add {name} type veth peer name {name}-peer"));
    lab.ip(&format!("link set {name}-peer up"));
    lab.ip(&format!("link set {name} up"));
    lab.index(name)
}

#[test]
fn the_next_process_finds_everything_as_it_was() {
    let lab = Lab::new();
    let wanted = state(&[veth(&lab, "ac0")], &[veth(&lab, "core0")]);
    let mut first = open(&lab);
    assert_eq!(*first.opened(), Opened::Fresh);
    reach(&mut first, &wanted);
    drop(first);

    let mut second = open(&lab);
    assert_eq!(*second.opened(), Opened::Adopted);
    assert_eq!(second.observe().unwrap(), wanted);
    assert_eq!(second.next_hops_in_use(), 1);
    assert_eq!(second.verify(&wanted.core).unwrap(), []);
    let mechanisms: Vec<_> = second.attachments().unwrap().iter().map(|a| (a.role, a.mechanism)).collect();
    assert_eq!(
        mechanisms,
        [Role::Circuit, Role::CircuitEgress, Role::Core].map(|role| (role, Mechanism::Tcx))
    );
}

#[test]
fn clsact_does_what_tcx_does() {
    let lab = Lab::new();
    let options = Options { attach: Attach::Only(Mechanism::Clsact), ..lab.options() };
    let (ac, core) = (veth(&lab, "ac0"), veth(&lab, "core0"));
    let wanted = state(&[ac], &[core]);
    reach(&mut EbpfDataplane::open(&options).unwrap(), &wanted);
    let filters = |name: &str| {
        lab::run(std::process::Command::new("tc").args(["filter", "show", "dev", name, "ingress"]))
    };
    assert!(filters("ac0").contains("circuit_ingress"), "{}", filters("ac0"));

    let before = filters("ac0");
    let mut second = EbpfDataplane::open(&options).unwrap();
    assert_eq!(*second.opened(), Opened::Adopted);
    assert_eq!(second.verify(&wanted.core).unwrap(), []);
    assert_ne!(filters("ac0"), before, "the program of the first process still runs");
    assert_eq!(filters("ac0").matches("direct-action").count(), 1, "{}", filters("ac0"));
    second.apply(&Change::RemoveCircuit(ac)).unwrap();
    assert!(!filters("ac0").contains("circuit_ingress"), "{}", filters("ac0"));
    let egress = lab::run(std::process::Command::new("tc").args(["filter", "show", "dev", "ac0", "egress"]));
    assert!(!egress.contains("circuit_egress"), "{egress}");
    assert!(filters("core0").contains("core_ingress"));
}

#[test]
fn maps_of_another_layout_forward_until_the_new_ones_are_full() {
    let lab = Lab::new();
    let (ac, gone, core) = (veth(&lab, "ac0"), veth(&lab, "ac1"), veth(&lab, "core0"));
    reach(&mut open(&lab), &state(&[ac, gone], &[core]));
    let programs = || lab.ip("-json -details link show dev ac0");

    let larger = Options { sizes: Sizes { vrfs: 32, ..lab.options().sizes }, ..lab.options() };
    let running = programs();
    let mut staged = EbpfDataplane::open(&larger).unwrap();
    assert!(matches!(staged.opened(), Opened::Staged { .. }), "{:?}", staged.opened());
    assert_eq!(staged.observe().unwrap(), State::default());
    let wanted = state(&[ac], &[core]);
    reach(&mut staged, &wanted);
    assert_eq!(programs(), running, "the old program was touched before the commit");
    assert_eq!(staged.verify(&wanted.core).unwrap().first(), Some(&Fault::Staged));

    staged.commit().unwrap();
    assert_eq!(staged.observe().unwrap(), wanted);
    assert_eq!(staged.verify(&wanted.core).unwrap(), []);
    let attached: Vec<_> = staged.attachments().unwrap().iter().map(|a| (a.role, a.interface)).collect();
    assert_eq!(
        attached,
        [(Role::Circuit, ac), (Role::CircuitEgress, ac), (Role::Core, core)],
        "ac1 is no circuit of the new plan"
    );
    drop(staged);
    let again = EbpfDataplane::open(&larger).unwrap();
    assert_eq!(*again.opened(), Opened::Adopted);
    assert_eq!(again.observe().unwrap(), wanted);
}

#[test]
fn a_process_that_dies_before_the_commit_leaves_the_old_maps_in_force() {
    let lab = Lab::new();
    let wanted = state(&[veth(&lab, "ac0")], &[]);
    reach(&mut open(&lab), &wanted);
    let larger = Options { sizes: Sizes { vrfs: 32, ..lab.options().sizes }, ..lab.options() };
    drop(EbpfDataplane::open(&larger).unwrap());
    let mut back = open(&lab);
    assert_eq!(*back.opened(), Opened::Adopted);
    assert_eq!(back.observe().unwrap(), wanted);
    assert_eq!(back.verify(&BTreeSet::new()).unwrap(), []);
}

#[test]
fn a_torn_set_of_maps_is_not_taken_for_whole() {
    let lab = Lab::new();
    let wanted = state(&[veth(&lab, "ac0")], &[]);
    reach(&mut open(&lab), &wanted);
    std::fs::remove_file(lab.options().pin_dir.join("maps/FIB4")).unwrap();
    let mut dataplane = open(&lab);
    let Opened::Staged { reason } = dataplane.opened() else { panic!("{:?}", dataplane.opened()) };
    assert!(reason.contains("FIB4"), "{reason}");
    reach(&mut dataplane, &wanted);
    dataplane.commit().unwrap();
    drop(dataplane);
    assert_eq!(*open(&lab).opened(), Opened::Adopted);
}

#[test]
fn what_went_with_its_interface_is_forgotten() {
    for attach in [Attach::Only(Mechanism::Tcx), Attach::Only(Mechanism::Clsact)] {
        let lab = Lab::new();
        let options = Options { attach, ..lab.options() };
        let (ac, core) = (veth(&lab, "ac0"), veth(&lab, "core0"));
        let mut dataplane = EbpfDataplane::open(&options).unwrap();
        reach(&mut dataplane, &state(&[ac], &[core]));
        lab.ip("link del ac0");
        assert_eq!(dataplane.observe().unwrap().circuits.len(), 0);
        assert_eq!(
            dataplane.verify(&[core].into()).unwrap().first(),
            Some(&Fault::NotAttached(Role::Circuit, ac))
        );
        assert_eq!(dataplane.sweep().unwrap(), [(Role::Circuit, ac), (Role::CircuitEgress, ac)]);
        assert_eq!(dataplane.verify(&[core].into()).unwrap(), []);

        lab.ip("link del core0");
        drop(dataplane);
        // Another interface with the old one's index is not the old one.
        lab.ip(&format!("link add new0 index {} type veth peer name new0-peer", core.0));
        let mut dataplane = EbpfDataplane::open(&options).unwrap();
        assert_eq!(dataplane.attachments().unwrap(), []);
        dataplane.apply(&Change::AddCore(core)).unwrap();
        assert_eq!(dataplane.observe().unwrap().core, [core].into());
    }
}

#[test]
fn a_missing_bpf_file_system_is_named_with_the_remedy() {
    let options = Options { pin_dir: std::env::temp_dir().join("dp-no-bpffs"), ..Options::default() };
    let error = EbpfDataplane::open(&options).err().unwrap().to_string();
    assert!(error.contains("mount -t bpf bpf /sys/fs/bpf"), "{error}");
}

#[test]
fn a_program_taken_off_by_another_hand_is_noticed() {
    let lab = Lab::new();
    let (ac, core) = (veth(&lab, "ac0"), veth(&lab, "core0"));
    let mut dataplane = open(&lab);
    reach(&mut dataplane, &state(&[ac], &[core]));
    let link = Attachment { role: Role::Core, interface: core, mechanism: Mechanism::Tcx };
    assert!(dataplane.attachments().unwrap().contains(&link));
    std::fs::remove_file(lab.options().pin_dir.join(format!("links/core-{}", core.0))).unwrap();
    assert_eq!(dataplane.verify(&[core].into()).unwrap(), [Fault::NotAttached(Role::Core, core)]);
    // Observed, so that the next plan repairs it.
    assert_eq!(dataplane.observe().unwrap().core, BTreeSet::new());
}

extern "C" fn ignore(_: libc::c_int) {}

/// The verifier gives up with EAGAIN when one is pending.
#[test]
#[allow(unsafe_code, reason = "a signal to one thread")]
fn signals_while_the_programs_load_do_no_harm() {
    let lab = Lab::new();
    // SAFETY: the handler does nothing, and this thread outlives the other, which is joined.
    let loader = unsafe {
        libc::signal(libc::SIGUSR1, ignore as *const () as libc::sighandler_t);
        libc::pthread_self()
    };
    let signals = std::thread::spawn(move || {
        for _ in 0..50 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert_eq!(unsafe { libc::pthread_kill(loader, libc::SIGUSR1) }, 0);
        }
    });
    let opened = EbpfDataplane::open(&lab.options()).map(|dataplane| dataplane.opened().clone());
    signals.join().unwrap();
    assert_eq!(opened.unwrap(), Opened::Fresh);
}

#[test]
fn a_second_process_is_refused_while_the_first_lives() {
    let lab = Lab::new();
    let first = open(&lab);
    let error = EbpfDataplane::open(&lab.options()).err().unwrap().to_string();
    assert!(error.contains("another process has the dataplane"), "{error}");
    drop(first);
    open(&lab);
}

#[test]
fn a_filter_taken_off_by_another_hand_is_noticed_and_repaired() {
    let lab = Lab::new();
    let options = Options { attach: Attach::Only(Mechanism::Clsact), ..lab.options() };
    let ac = veth(&lab, "ac0");
    let wanted = state(&[ac], &[]);
    let mut dataplane = EbpfDataplane::open(&options).unwrap();
    reach(&mut dataplane, &wanted);
    lab::run(std::process::Command::new("tc").args(["filter", "del", "dev", "ac0", "ingress"]));
    assert_eq!(dataplane.verify(&BTreeSet::new()).unwrap(), [Fault::NotAttached(Role::Circuit, ac)]);
    assert_eq!(dataplane.sweep().unwrap(), [(Role::Circuit, ac)]);
    reach(&mut dataplane, &wanted);
    assert_eq!(dataplane.verify(&BTreeSet::new()).unwrap(), []);
}

/// A link whose pin is removed detaches some time later, a filter at once: both have to be at once.
#[test]
fn what_was_detached_can_be_attached_again_at_once() {
    for attach in [Attach::Only(Mechanism::Tcx), Attach::Only(Mechanism::Clsact)] {
        let lab = Lab::new();
        let core = veth(&lab, "core0");
        let mut dataplane = EbpfDataplane::open(&Options { attach, ..lab.options() }).unwrap();
        for _ in 0..20 {
            dataplane.apply(&Change::AddCore(core)).unwrap();
            assert_eq!(dataplane.observe().unwrap().core, [core].into());
            dataplane.apply(&Change::RemoveCore(core)).unwrap();
            assert_eq!(dataplane.observe().unwrap().core, [].into());
        }
    }
}

#[test]
fn the_kernel_is_told_what_the_programs_need() {
    let lab = Lab::new();
    let (ac, core) = (veth(&lab, "ac0"), veth(&lab, "core0"));
    let path = |name: &str| format!("/proc/sys/net/{name}");
    let value = |name: &str| std::fs::read_to_string(path(name)).unwrap().trim().to_owned();
    std::fs::write(path("ipv6/conf/core0/accept_ra"), "1").unwrap();
    std::fs::write(path("ipv6/conf/ac0/disable_ipv6"), "1").unwrap();
    reach(&mut open(&lab), &state(&[ac], &[core]));
    assert_eq!(value("ipv6/conf/all/forwarding"), "1");
    assert_eq!(value("ipv6/conf/core0/accept_ra"), "2", "the default route learnt by RA would go");
    assert_eq!(value("ipv6/conf/ac0/disable_ipv6"), "0");
    assert_eq!(value("ipv6/conf/ac0/accept_ra"), "0");
    assert_eq!(value("ipv4/conf/ac0/arp_ignore"), "8");
}
