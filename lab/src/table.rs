//! `lab inspect` for people.
use lab::inspect::{InterfaceReport, NodeReport};

/// One line per node and interface, in columns.
pub(crate) fn nodes(nodes: &[NodeReport]) -> String {
    let head = ["NODE", "KIND", "IMAGE", "STATE", "PID", "MAIN", "INTERFACE", "MTU", "ADDRESSES"];
    let mut rows = vec![head.map(str::to_owned)];
    nodes.iter().for_each(|node| rows.extend(node_rows(node)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn line(row: &[String; 9], widths: &[usize]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    format!("{}\n", cells.join("  ").trim_end())
}

/// The first interface shares the node's line; the others stand below it.
fn node_rows(node: &NodeReport) -> Vec<[String; 9]> {
    let mut links: Vec<[String; 3]> = node.interfaces.iter().map(interface).collect();
    if links.is_empty() {
        links.push(Default::default());
    }
    let pid = node.pid.map_or("-".to_owned(), |pid| pid.to_string());
    let own = [&node.name, &node.kind, &node.image, node.state, &pid, &main(node)].map(str::to_owned);
    let blank: [String; 6] = Default::default();
    let rows = links.into_iter().enumerate();
    rows.map(|(at, [name, mtu, addresses])| {
        let [a, b, c, d, e, f] = if at == 0 { own.clone() } else { blank.clone() };
        [a, b, c, d, e, f, name, mtu, addresses]
    })
    .collect()
}

fn main(node: &NodeReport) -> String {
    match (node.main.as_slice(), &node.main_ended) {
        ([], Some(ending)) => ending.lines().next().unwrap_or_default().to_owned(),
        ([], None) => "-".to_owned(),
        (programs, _) => programs.iter().map(|program| program.name.as_str()).collect::<Vec<_>>().join(","),
    }
}

fn interface(link: &InterfaceReport) -> [String; 3] {
    [link.name.clone(), link.mtu.to_string(), link.addresses.join(" ")]
}
