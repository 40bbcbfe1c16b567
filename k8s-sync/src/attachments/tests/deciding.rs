use super::*;

#[test]
fn a_pod_of_a_vrf_gets_an_address_of_each_family_and_is_attached_once_the_dataplane_holds_it() {
    let mut agent = Agent::new();
    let reservation = agent.reserve("c1", "red/web");
    assert_eq!(reservation.addresses, [net("10.1.0.2/32"), net("fd00:1::2/128")]);
    assert_eq!(reservation.gateways, [net("10.1.0.1/32").addr(), net("fd00:1::1/128").addr()]);
    assert_eq!((reservation.mtu, &*reservation.vrf), (1400, "red"));
    let attachment = made("c1", "red/web", &reservation);
    let circuit = Circuit { interface: host_interface(&id("c1")), vrf: "red".to_owned() };
    let then = Response::Attached { mtu: 1400, vrf: "red".to_owned() };
    let step = agent.ask(Request::Attach(attachment.clone()));
    assert_eq!(step, Step::Program { circuit: Some(circuit.clone()), then });
    assert_eq!(agent.store.attached()[&id("c1")].attachment, attachment);
    assert!(agent.store.reserved().is_empty());
    assert_eq!(agent.ask(Request::Check(attachment)), Step::Verify { circuit, then: Response::Done });
}

#[test]
fn what_is_asked_again_because_the_answer_was_lost_is_answered_the_same() {
    let mut agent = Agent::new();
    let reservation = agent.reserve("c1", "red/web");
    assert_eq!(agent.reserve("c1", "red/web"), reservation);
    let attach = Request::Attach(made("c1", "red/web", &reservation));
    let step = agent.ask(attach.clone());
    assert_eq!(agent.ask(attach), step);
    assert_eq!(agent.reserve("c1", "red/web"), reservation, "also by a runtime that calls ADD again");
    assert_eq!(agent.store.attached().len(), 1);
}

#[test]
fn a_pod_in_no_vrf_is_left_alone() {
    let mut agent = Agent::new();
    assert_eq!(agent.ask(reserve("c1", "plain/web")), Step::Answer(Response::NotOurs));
    let attachment = chained("c1", "plain/web", "veth1", "192.0.2.1");
    assert_eq!(agent.ask(Request::Attach(attachment.clone())), Step::Answer(Response::NotOurs));
    assert_eq!(agent.ask(Request::Check(attachment)), Step::Answer(Response::NotOurs));
    assert!(agent.store.attached().is_empty());
}

#[test]
fn a_pod_that_the_api_server_has_not_told_of_is_fetched_and_refused_where_it_is_not_there() {
    let mut agent = Agent::new();
    assert_eq!(agent.ask(reserve("c1", "red/new")), Step::Fetch(Key::new("red", "new")));
    agent.fetched.set(true);
    assert_eq!(agent.refused(reserve("c1", "red/new")).0, code::TRY_AGAIN);
}

#[test]
fn a_pod_of_the_same_name_with_another_uid_is_fetched_and_a_static_pods_mirror_is_good_enough() {
    let mut agent = Agent::new();
    let pod = PodRef { uid: Some("new".to_owned()), ..pod("red/web") };
    let request = Request::Reserve { id: id("c1"), network: "net".to_owned(), pod };
    assert_eq!(agent.ask(request.clone()), Step::Fetch(Key::new("red", "web")));
    agent.fetched.set(true);
    assert!(matches!(agent.ask(request), Step::Answer(Response::Reserved(_))));
}

#[test]
fn no_pod_goes_where_the_vrfs_are_not_known_yet() {
    let mut agent = Agent::new();
    agent.readiness = Readiness::NotYet("the API server has not told of Vrfs yet".to_owned());
    let (code, message) = agent.refused(reserve("c1", "plain/web"));
    assert_eq!(code, code::TRY_AGAIN);
    assert!(message.contains("has not told of Vrfs"), "{message}");
    assert_eq!(agent.refused(Request::Status).0, code::NOT_AVAILABLE);
    agent.readiness = Readiness::Limited("the dataplane is out of step".to_owned());
    assert_eq!(agent.refused(Request::Status).0, code::LIMITED);
    agent.readiness = Readiness::Ready;
    assert_eq!(agent.ask(Request::Status), Step::Answer(Response::Done));
}

#[test]
fn a_pod_that_two_vrfs_select_or_whose_vrf_is_on_other_nodes_is_refused_with_the_remedy() {
    let mut agent = Agent::new();
    let elsewhere = LabelSelector {
        match_labels: Some([("zone".to_owned(), "b".to_owned())].into()),
        ..LabelSelector::default()
    };
    agent.world.vrfs.get_mut("red").unwrap().spec.node_selector = Some(elsewhere);
    let (code, message) = agent.refused(reserve("c1", "red/web"));
    assert!(code == code::INVALID && message.contains("nodeSelector"), "{code} {message}");
    let all = vrf("red");
    agent.world.vrfs.insert("red2".into(), all);
    let (code, message) = agent.refused(reserve("c1", "red/web"));
    assert!(code == code::INVALID && message.contains("VRFs red and red2 select the pod"), "{message}");
}

#[test]
fn a_vrf_without_a_pod_network_gives_no_address_and_says_what_to_set() {
    let mut agent = Agent::new();
    agent.blocks = Ok(vec![]);
    let (code, message) = agent.refused(reserve("c1", "red/web"));
    assert!(code == code::INVALID && message.contains("Vrf.spec.podNetwork"), "{message}");
    let object = crate::world::ObjectRef::cluster("Node", "n1");
    agent.blocks = Err(Problem { object, reason: Reason::Pending, message: "no locator yet".to_owned() });
    let (code, message) = agent.refused(reserve("c1", "red/web"));
    assert!(code == code::TRY_AGAIN && message.contains("no locator yet"), "{message}");
}

#[test]
fn a_block_that_has_no_address_left_says_so() {
    let mut agent = Agent::new();
    (0..5).for_each(|i| drop(agent.add(&format!("c{i}"), ["red/web", "red/db"][i % 2])));
    let (code, message) = agent.refused(reserve("more", "red/web"));
    assert_eq!(code, code::TRY_AGAIN);
    assert!(message.contains("every address of 10.1.0.0/29 in VRF red is taken"), "{message}");
    assert!(agent.store.reserved().is_empty(), "nothing of the other family is kept either");
}

#[test]
fn two_tenants_have_the_same_addresses() {
    let mut agent = Agent::new();
    assert_eq!(agent.add("c1", "red/web").addresses, agent.add("c2", "blue/web").addresses);
}

#[test]
fn only_what_was_reserved_can_be_attached_as_reserved() {
    let mut agent = Agent::new();
    let mut attachment = made("c1", "red/web", &agent.reserve("c1", "red/web"));
    attachment.addresses = vec!["10.1.0.3".parse().unwrap()];
    assert_eq!(agent.refused(Request::Attach(attachment)).0, code::INVALID);
}

#[test]
fn an_address_is_one_pods_in_a_vrf_until_its_interface_is_made_anew() {
    let mut agent = Agent::new();
    let first = chained("c1", "red/web", "veth1", "10.9.0.5");
    assert!(matches!(agent.ask(Request::Attach(first)), Step::Program { .. }));
    let (code, message) = agent.refused(Request::Attach(chained("c2", "red/db", "veth2", "10.9.0.5")));
    assert!(code == code::TRY_AGAIN && message.contains("red/web"), "{message}");
    let other_vrf = chained("c3", "blue/db", "veth3", "10.9.0.5");
    assert!(matches!(agent.ask(Request::Attach(other_vrf)), Step::Program { .. }));
    // A pod whose sandbox was made anew before the old one was deleted; and an interface name that is in use again.
    let again = chained("c4", "red/web", "veth4", "10.9.0.5");
    assert!(matches!(agent.ask(Request::Attach(again)), Step::Program { .. }));
    let renamed = chained("c5", "red/db", "veth4", "10.9.0.6");
    assert!(matches!(agent.ask(Request::Attach(renamed)), Step::Program { .. }));
    assert_eq!(agent.store.attached().keys().map(|id| &*id.container).collect::<Vec<_>>(), ["c3", "c5"]);
}

#[test]
fn del_is_idempotent_and_what_was_never_programmed_is_not_programmed() {
    let mut agent = Agent::new();
    assert_eq!(agent.ask(Request::Detach(id("c1"))), Step::Answer(Response::Done));
    agent.reserve("c1", "red/web");
    assert_eq!(agent.ask(Request::Detach(id("c1"))), Step::Answer(Response::Done));
    agent.add("c1", "red/web");
    let programmed = Step::Program { circuit: None, then: Response::Done };
    assert_eq!(agent.ask(Request::Detach(id("c1"))), programmed);
    assert_eq!(agent.ask(Request::Detach(id("c1"))), Step::Answer(Response::Done));
}

#[test]
fn gc_keeps_what_is_valid_and_what_is_another_networks() {
    let mut agent = Agent::new();
    agent.add("c1", "red/web");
    agent.add("c2", "red/db");
    let other = Attachment { network: "other".to_owned(), ..chained("c3", "blue/web", "veth3", "10.9.0.1") };
    agent.ask(Request::Attach(other));
    let retain = Request::Retain { network: "net".to_owned(), valid: vec![id("c2")] };
    let then = Response::Released { ids: vec![id("c1")] };
    assert_eq!(agent.ask(retain.clone()), Step::Program { circuit: None, then });
    assert_eq!(agent.store.attached().keys().map(|id| &*id.container).collect::<Vec<_>>(), ["c2", "c3"]);
    assert_eq!(agent.ask(retain), Step::Answer(Response::Released { ids: vec![] }));
}

#[test]
fn check_tells_what_is_not_as_it_was_made() {
    let mut agent = Agent::new();
    let made = agent.add("c1", "red/web");
    let changed = [
        (Attachment { host_interface: "veth9".to_owned(), ..made.clone() }, "the node's end"),
        (Attachment { addresses: vec![], ..made.clone() }, "the addresses"),
        (Attachment { pod: pod("red/db"), ..made.clone() }, "the pod"),
        (Attachment { id: id("other"), ..made }, "it is not attached"),
    ];
    for (changed, what) in changed {
        let (code, message) = agent.refused(Request::Check(changed));
        assert!(code == code::NOT_AS_MADE && message.contains(what), "{what}: {message}");
    }
}

#[test]
fn names_that_would_leave_the_folder_are_refused() {
    let mut agent = Agent::new();
    for request in [reserve("../../etc/x", "red/web"), Request::Detach(id("a/b"))] {
        assert_eq!(agent.refused(request).0, code::INVALID);
    }
    let attachment = chained("c1", "red/web", "../veth", "10.9.0.1");
    assert_eq!(agent.refused(Request::Attach(attachment)).0, code::INVALID);
}

#[test]
fn what_no_pod_can_have_is_no_address() {
    let mut agent = Agent::new();
    for address in ["0.0.0.0", "127.0.0.1", "224.0.0.1", "ff02::1", "::1"] {
        let (code, _) = agent.refused(Request::Attach(chained("c1", "red/web", "veth1", address)));
        assert_eq!(code, code::INVALID, "{address}");
    }
}
