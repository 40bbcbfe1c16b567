//! A message for reading: one line for what it is, its parts indented below.

use super::view::{AttributesView, Body, ErrorView, RoutesView, ServiceView, UpdateView, View};

/// Lines without the last line's end.
pub(super) fn render(view: &View) -> String {
    let mut lines = Vec::new();
    let way = match (view.from, view.to) {
        (Some(from), Some(to)) => format!("{from} > {to}  "),
        _ => String::new(),
    };
    match &view.body {
        Some(Body::Open(open)) => {
            lines.push(format!(
                "{way}OPEN  AS {}  hold time {} s  router id {}",
                open.asn, open.hold_time, open.router_id
            ));
            lines.extend(open.capabilities.iter().map(|capability| {
                format!("  {} ({}) {}", capability.name, capability.code, capability.detail)
                    .trim_end()
                    .to_owned()
            }));
        }
        Some(Body::Update(update)) => render_update(&way, update, &mut lines),
        Some(Body::Notification(notification)) => {
            lines.push(format!("{way}NOTIFICATION  {}  {}", notification.text, notification.data));
        }
        Some(Body::Keepalive) => lines.push(format!("{way}KEEPALIVE")),
        Some(Body::RouteRefresh { afi, safi, subtype }) => {
            lines.push(format!("{way}ROUTE-REFRESH  AFI {afi}  SAFI {safi}  subtype {subtype}"));
        }
        None => lines.push(format!("{way}NOT A MESSAGE")),
    }
    view.error.iter().for_each(|error| render_error(error, &mut lines));
    lines.join("\n")
}

fn render_error(error: &ErrorView, lines: &mut Vec<String>) {
    lines.push(format!("  malformed: {}", error.verdict.unwrap_or("unreadable")));
    for fault in &error.faults {
        let attribute = fault.attribute.as_ref().map_or_else(String::new, |name| format!("{name} "));
        lines.push(format!("    {attribute}{}", fault.reason));
    }
}

fn render_update(way: &str, update: &UpdateView, lines: &mut Vec<String>) {
    let end = update.end_of_rib.map_or_else(String::new, |family| format!("  end of RIB {family}"));
    lines.push(format!("{way}UPDATE{end}"));
    for withdrawn in &update.withdrawn {
        lines.push(format!("  withdraws {}", withdrawn.family));
        render_routes(withdrawn, lines);
    }
    for announced in &update.announced {
        let next_hop = announced.next_hop.map_or_else(String::new, |address| format!(" next hop {address}"));
        let link_local = announced.link_local.map_or_else(String::new, |address| format!(" ({address})"));
        lines.push(format!("  announces {}{next_hop}{link_local}", announced.family));
        render_routes(announced, lines);
    }
    for foreign in &update.other_families {
        lines.push(format!("  family {}  {}", foreign.family, foreign.attribute));
    }
    update.attributes.iter().for_each(|attributes| render_attributes(attributes, lines));
}

fn render_routes(routes: &RoutesView, lines: &mut Vec<String>) {
    for route in &routes.routes {
        let mut line = format!("    {}", route.prefix);
        let mut add = |name: &str, value: Option<String>| {
            line += &value.map_or_else(String::new, |value| format!("  {name} {value}"));
        };
        add("rd", route.rd.clone());
        add("label", route.label.map(|label| label.to_string()));
        add("sid", route.sid.clone());
        add("path", route.path_id.map(|path| path.to_string()));
        lines.push(line);
    }
}

fn render_attributes(attributes: &AttributesView, lines: &mut Vec<String>) {
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {name:<22}{value}"));
        }
    };
    let number = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
    row("origin", attributes.origin.to_owned());
    row("as path", attributes.as_path.clone());
    row("med", number(attributes.med));
    row("local preference", number(attributes.local_pref));
    row("atomic aggregate", if attributes.atomic_aggregate { "yes".to_owned() } else { String::new() });
    row("aggregator", attributes.aggregator.clone().unwrap_or_default());
    row("originator id", attributes.originator_id.map_or_else(String::new, |id| id.to_string()));
    row("cluster list", join(&attributes.cluster_list));
    row("communities", join(&attributes.communities));
    row("route targets", join(&attributes.route_targets));
    row("extended communities", join(&attributes.extended_communities));
    row("large communities", join(&attributes.large_communities));
    for service in &attributes.srv6_services {
        row(&format!("srv6 {} service", service.service), service_line(service));
    }
    for unknown in &attributes.unknown {
        let flags = unknown.flags.unwrap_or_default();
        row(&format!("attribute {}", unknown.code), format!("flags {flags:#04x}  {}", unknown.value));
    }
}

fn service_line(service: &ServiceView) -> String {
    let mut line = format!("{} as sent  {} ({:#06x})", service.sid, service.behavior, service.behavior_code);
    if let Some(structure) = &service.structure {
        line += &format!(
            "  structure {}/{}/{}/{}",
            structure.block, structure.node, structure.function, structure.argument
        );
        line += &match structure.transposition_length {
            0 => String::new(),
            len => format!("  {len} bits from bit {} in the label", structure.transposition_offset),
        };
    }
    line
}

fn join<T: ToString>(all: &[T]) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}
