use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use prost::Message;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::{Bridge, gauge};

async fn client(bridge: &Bridge) -> MetricsServiceClient<Channel> {
    MetricsServiceClient::connect(format!("http://{}", bridge.addresses.otlp_grpc))
        .await
        .unwrap()
}

async fn refusal(client: &mut MetricsServiceClient<Channel>, request: ExportMetricsServiceRequest) -> Status {
    client.export(request).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn points_arrive_plain_and_compressed() {
    let bridge = Bridge::start().await;
    let answer = client(&bridge)
        .await
        .export(gauge("plain", 1.0))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.partial_success, None);
    let mut compressed = client(&bridge)
        .await
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    compressed.export(gauge("packed", 2.0)).await.unwrap();
    assert_eq!(
        bridge.get("/metrics/otlp").await,
        "# TYPE packed gauge\npacked{instance=\"i1\",job=\"svc\"} 2\n# TYPE plain gauge\nplain{instance=\"i1\",job=\"svc\"} 1\n"
    );
    let requests = bridge.lines("/metrics", "meterbridge_requests_total{").await;
    assert_eq!(
        requests,
        ["meterbridge_requests_total{encoding=\"protobuf\",outcome=\"accepted\",transport=\"grpc\"} 2"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p_02_partial_success() {
    let bridge = Bridge::start().await;
    let answer = client(&bridge).await.export(gauge("", 1.0)).await.unwrap().into_inner();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_data_points, 1);
    assert!(
        partial.error_message.starts_with("1 point rejected: empty_name: "),
        "{}",
        partial.error_message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p_06_what_is_too_large_is_not_to_be_sent_again() {
    let bridge = Bridge::start().await;
    let large = gauge(&"x".repeat(1 << 20), 1.0);
    let plain = refusal(&mut client(&bridge).await, large.clone()).await;
    let mut compressed = client(&bridge).await.send_compressed(CompressionEncoding::Gzip);
    let inflated = refusal(&mut compressed, large).await;
    for status in [plain, inflated] {
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(
            status.message().starts_with("request_too_large: "),
            "{}",
            status.message()
        );
        assert!(status.details().is_empty(), "RetryInfo would ask for it again");
    }
    assert_eq!(
        bridge
            .lines(
                "/metrics",
                "meterbridge_requests_refused_total{reason=\"request_too_large\"}"
            )
            .await,
        ["meterbridge_requests_refused_total{reason=\"request_too_large\"} 2"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p_04_p_07_p_17_refusals() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;

    let bridge = Bridge::start().await;
    let url = format!("http://{}", bridge.addresses.otlp_grpc);
    let mut traces = TraceServiceClient::connect(url.clone()).await.unwrap();
    let status = traces.export(ExportTraceServiceRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(
        status.message().starts_with("unsupported_signal: "),
        "{}",
        status.message()
    );

    for (encoding, message, code, expected) in [
        (
            "snappy",
            b"\x00\x00\x00\x00\x00".as_slice(),
            "12",
            "unsupported_encoding: ",
        ),
        ("", b"\x00\x00\x00\x00\x01\xff", "3", "malformed: "),
        ("", b"\x00\x00\x00\x00\x05\xff", "3", "malformed: "),
        ("", b"", "3", "malformed: "),
        ("gzip", b"\x01\x00\x00\x00\x01\xff", "3", "malformed: "),
    ] {
        let mut request = reqwest::Client::builder()
            .http2_prior_knowledge()
            .build()
            .unwrap()
            .post(format!(
                "{url}/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
            ))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(message);
        if !encoding.is_empty() {
            request = request.header("grpc-encoding", encoding);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["grpc-status"], code, "{message:?}");
        let told = response.headers()["grpc-message"].to_str().unwrap();
        assert!(told.starts_with(&expected.replace(": ", ":%20")), "{told}");
    }
    client(&bridge).await.export(gauge("after", 1.0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn p_07_p_04_messages_framed_by_hand() {
    let bridge = Bridge::start().await;
    let message = gauge("g", 3.0).encode_to_vec();
    let framed = |flag: u8, length: usize, message: &[u8]| {
        let mut body = vec![flag];
        body.extend((length as u32).to_be_bytes());
        body.extend(message);
        body
    };
    let whole = |flag, message: &[u8]| framed(flag, message.len(), message);
    let zstd = compress_to_vec(&*message, CompressionLevel::Fastest);
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    for (encoding, body, status, text) in [
        ("zstd", whole(1, &zstd), None, ""),
        ("zstd", whole(0, &message), None, ""),
        ("identity", whole(0, &message), None, ""),
        ("identity", vec![], Some("3"), "malformed: the call has no message"),
        (
            "identity",
            framed(0, message.len() + 1, &message),
            Some("3"),
            "malformed: the message says",
        ),
        (
            "identity",
            framed(0, message.len() - 1, &message),
            Some("3"),
            "malformed: the call has more",
        ),
        (
            "identity",
            whole(7, &message),
            Some("3"),
            "malformed: the message begins with 7",
        ),
        ("gzip", whole(1, &zstd), Some("3"), "malformed: the body is not gzip"),
        ("snappy", whole(1, &message), Some("12"), "unsupported_encoding: "),
    ] {
        let response = client
            .post(format!(
                "http://{}/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
                bridge.addresses.otlp_grpc
            ))
            .header("content-type", "application/grpc")
            .header("grpc-encoding", encoding)
            .body(body)
            .send()
            .await
            .unwrap();
        // A refusal stands in the headers, success in the trailers.
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let said = header("grpc-message").unwrap_or_default().replace("%20", " ");
        assert_eq!(
            (response.status().as_u16(), header("grpc-status").as_deref()),
            (200, status),
            "{said}"
        );
        assert!(said.starts_with(text), "{said}");
    }
    assert_eq!(
        bridge.samples("/metrics/otlp", "g{").await,
        ["g{instance=\"i1\",job=\"svc\"} 3"]
    );
}
