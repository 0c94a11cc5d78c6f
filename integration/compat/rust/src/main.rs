//! The Rust client of the compatibility kit: measures what arrow-flight's FlightSqlServiceClient can do with the server, and
//! writes its column of docs/compatibility.md. Usage: arbalest-compat setting.json, with ARBALEST_COMPAT_OUT set.

mod checks;
mod client;

use client::{Outcome, Setting};
use serde_json::{Map, Value, json};

/// Runs a check in a session of its own, which is closed after it.
macro_rules! in_session {
    ($setting:expr, $check:path) => {
        async {
            let mut session = $setting.session().await?;
            let outcome = $check(&mut session).await;
            session.leave().await?;
            outcome
        }
        .await
    };
}

#[tokio::main]
async fn main() -> Outcome {
    let path = std::env::args().nth(1).ok_or("usage: arbalest-compat setting.json")?;
    let s = Setting(serde_json::from_slice(&std::fs::read(path)?)?);
    let mut column = Map::new();
    let mut failed = false;
    let measured: Vec<(&str, Outcome)> = vec![
        ("login", checks::login(s.clone()).await),
        ("token", checks::token(s.clone()).await),
        ("tls", checks::tls(s.clone()).await),
        ("session", in_session!(s, checks::session)),
        ("prepared", in_session!(s, checks::prepared)),
        ("parameters", in_session!(s, checks::parameters)),
        ("many rows bound", in_session!(s, checks::many_rows)),
        ("temporary tables", in_session!(s, checks::temporary)),
        ("ingest", in_session!(s, checks::ingest)),
        ("transactions", in_session!(s, checks::transactions)),
        ("catalogs", in_session!(s, checks::catalogs)),
        ("table schema", in_session!(s, checks::table_schema)),
        ("keys", in_session!(s, checks::keys)),
        ("type info", in_session!(s, checks::type_info)),
        ("server info", in_session!(s, checks::server_info)),
        ("streaming", in_session!(s, checks::streaming)),
        ("endpoints", in_session!(s, checks::endpoints)),
        ("partitions", in_session!(s, checks::partitions)),
        ("poll", in_session!(s, checks::poll)),
        ("cancel", in_session!(s, checks::cancel)),
        ("timeout", in_session!(s, checks::timeout)),
        ("renew", in_session!(s, checks::renew)),
        ("25 workers", checks::workers(s.clone()).await),
        ("10 M rows", in_session!(s, checks::large)),
        ("50 connections", checks::connections(s.clone()).await),
        ("plain flight", in_session!(s, checks::plain)),
    ];
    for (name, outcome) in measured {
        let verdict = match outcome {
            Ok(()) => "yes".to_string(),
            Err(fault) => {
                failed = true;
                eprintln!("{name}: {fault}");
                format!("no: {fault}")
            }
        };
        column.insert(name.to_string(), Value::String(verdict));
    }
    for (name, reason) in [
        ("session options", "the client has no call for them"),
        ("savepoints", "the client has no call for them"),
        ("locations", "the client leaves it to the program where it reads"),
        ("data frames", "the client has no data frames, only Arrow's batches"),
    ] {
        column.insert(name.to_string(), Value::String(format!("n/a: {reason}")));
    }
    let text = json!({"client": "rust", "version": VERSION, "features": column});
    std::fs::write(format!("{}/rust-features.json", std::env::var("ARBALEST_COMPAT_OUT")?), serde_json::to_vec(&text)?)?;
    if failed { std::process::exit(1) } else { Ok(()) }
}

/// Of arrow-flight, as Cargo.toml pins it.
const VERSION: &str = "60.1.0";
