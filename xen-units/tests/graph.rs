//! The order of the chain, drawn.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::process::Command as Process;

use common::{copy_of, root, xen_units};

#[test]
fn draws_the_order() {
    let graph = |format: &str| {
        let mut command = xen_units();
        command
            .args(["graph", "--format", format, "--root"])
            .arg(root("debian-12"));
        command
    };
    for (format, start, edges) in [
        (
            "dot",
            "digraph xen_dom0 {\n",
            [
                "\n  \"xen-mountfs\" -> \"xen-store\";\n",
                "\n  \"xen-bridge\" -> \"xen-domains\" [style=dashed];\n",
            ],
        ),
        (
            "mermaid",
            "flowchart LR\n",
            [
                "\n  xen_mountfs[\"xen-mountfs\"] --> xen_store[\"xen-store\"]\n",
                "\n  xen_bridge[\"xen-bridge\"] -.-> xen_domains[\"xen-domains\"]\n",
            ],
        ),
    ] {
        let output = graph(format).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with(start), "{text}");
        for edge in edges {
            assert!(text.contains(edge), "{edge}: {text}");
        }
    }
    // Whatever draws it is given the graph.
    let bin = tempfile::tempdir().unwrap();
    let script = "printf '#!/bin/sh\\necho \"$1\"; head -n 1\\n' >\"$0\"; chmod 755 \"$0\"";
    let made = Process::new("sh")
        .args(["-euc", script])
        .arg(bin.path().join("dot"))
        .status();
    assert!(made.unwrap().success());
    graph("svg")
        .env("PATH", format!("{}:/usr/bin:/bin", bin.path().display()))
        .assert()
        .success()
        .stdout("-Tsvg\ndigraph xen_dom0 {\n");
    graph("svg")
        .env("PATH", "/nowhere")
        .assert()
        .code(5)
        .stderr("xen-units: graph --format svg: Graphviz (dot) is not installed\n");
}

#[test]
fn draws_the_domains_where_generate_writes_them() {
    let machine = copy_of("upstream");
    let has_domains = |setting: &str, variable: &str, flags: &[&str]| {
        let file = machine.path().join("etc/default/xen-dom0");
        fs::write(file, setting).unwrap();
        let mut command = xen_units();
        command.env("XEN_UNITS_DOMAINS", variable);
        command.arg("graph").args(flags).arg("--root");
        let output = command.arg(machine.path()).output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        text.contains("-> \"xen-domains\"")
    };
    // libvirt is enabled there.
    assert!(!has_domains("", "", &[]));
    assert!(has_domains("XEN_UNITS_DOMAINS=yes\n", "", &[]));
    assert!(!has_domains("XEN_UNITS_DOMAINS=yes\n", "no", &[]));
    assert!(has_domains("", "1", &[]));
    assert!(has_domains("", "", &["--domains"]));
}
