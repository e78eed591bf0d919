use std::time::Duration;

use meterbridge::app::App;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Bridge, config, gauge};

/// Asks whether the bridge is ready until it answers as expected.
async fn until_status(bridge: &Bridge, expected: u16) {
    let asking = async { while reqwest::get(bridge.url("/-/ready")).await.unwrap().status() != expected {} };
    tokio::time::timeout(Duration::from_secs(20), asking).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_in_flight_and_readiness_turns_false_first() {
    let mut bridge = Bridge::start().await;
    until_status(&bridge, 200).await;
    let body = gauge("late", 1.0).encode_to_vec();
    let mut stream = TcpStream::connect(bridge.addresses.otlp_http).await.unwrap();
    let head = format!(
        "POST /v1/metrics HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The interim answer shows that the endpoint has begun to read.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");

    bridge.ask_to_stop();
    until_status(&bridge, 503).await;
    stream.write_all(&body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let addresses = bridge.addresses;
    bridge.ended().await.unwrap();
    assert!(
        TcpStream::connect(addresses.otlp_http).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_has_an_end() {
    let mut config = config();
    config.drain_timeout = Duration::from_millis(50);
    let mut bridge = Bridge::with(config).await;
    let mut stream = TcpStream::connect(bridge.addresses.otlp_http).await.unwrap();
    stream
        .write_all(b"POST /v1/metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n")
        .await
        .unwrap();
    bridge.ask_to_stop();
    tokio::time::timeout(Duration::from_secs(20), bridge.ended())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named_with_its_option() {
    let bridge = Bridge::start().await;
    let mut config = config();
    config.otlp_grpc_listen = bridge.addresses.http.to_string();
    let Err(error) = App::bind(config).await else {
        panic!("the port was in use")
    };
    let expected = format!("--otlp-grpc-listen {}: ", bridge.addresses.http);
    assert!(error.to_string().starts_with(&expected), "{error}");
}
