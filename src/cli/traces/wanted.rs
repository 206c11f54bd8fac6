//! What the environment says about traces.

use secrecy::SecretString;

/// Whether traces are sent, and where.
#[derive(Debug)]
pub(super) enum Wanted {
    /// The environment does not ask for any.
    Nothing,
    /// To this URL, which may hold a secret.
    To(SecretString),
    /// It asks for what is not offered.
    Unknown(&'static str),
}

/// Reads the standard variables of OpenTelemetry that concern a collector of traces. `variable` gives the value of one.
pub(super) fn wanted(variable: impl Fn(&str) -> Option<String>) -> Wanted {
    let set = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let is = |name: &str, word: &str| set(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return Wanted::Nothing;
    }
    // The general address is that of all signals, the other one that of traces alone.
    let of_all = || set("OTEL_EXPORTER_OTLP_ENDPOINT").map(|url| format!("{}/v1/traces", url.trim_end_matches('/')));
    let Some(url) = set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(of_all) else { return Wanted::Nothing };
    let protocol = set("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| set("OTEL_EXPORTER_OTLP_PROTOCOL"));
    if protocol.is_some_and(|protocol| protocol != "http/protobuf") {
        return Wanted::Unknown(
            "the environment asks for a protocol other than `http/protobuf`, the only one that is offered",
        );
    }
    Wanted::To(url.into())
}

/// The variable in which a header is not `name=value`, so that it is left out. Its value is not repeated: it may be a secret.
#[cfg(feature = "traces")]
pub(super) fn malformed_headers(variable: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    // RFC 9110, section 5.6.2.
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&letter);
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_letter);
    let is_header =
        |pair: &str| pair.split_once('=').is_some_and(|(name, value)| is_name(name.trim()) && !value.trim().is_empty());
    let has_other = |text: String| text.split(',').filter(|pair| !pair.trim().is_empty()).any(|pair| !is_header(pair));
    let names = ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"];
    names.into_iter().find(|name| variable(name).is_some_and(has_other))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn traces_are_sent_where_the_environment_says_and_by_no_other_protocol() {
        for (environment, expected) in [
            ("", "nothing"),
            ("OTEL_SERVICE_NAME=scorewatch", "nothing"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=", "nothing"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4318", "http://otel:4318/v1/traces"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=https://otel.example/otlp/", "https://otel.example/otlp/v1/traces"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://otel:4318/x", "http://otel:4318/x"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://b/", "http://b/"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_SDK_DISABLED=true", "nothing"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_TRACES_EXPORTER=none", "nothing"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_TRACES_EXPORTER=otlp", "http://a/v1/traces"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "http://a/v1/traces"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "unknown"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json", "unknown"),
        ] {
            let value = |name: &str| {
                environment.split(' ').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name)
            };
            let found = match wanted(|name| value(name).map(|(_, value)| value.to_owned())) {
                Wanted::Nothing => "nothing".to_owned(),
                Wanted::To(url) => url.expose_secret().to_owned(),
                Wanted::Unknown(_) => "unknown".to_owned(),
            };
            assert_eq!(found, expected, "{environment}");
        }
    }

    #[cfg(feature = "traces")]
    #[test]
    fn a_header_that_is_malformed_is_noticed_and_only_its_variable_is_named() {
        for (value, is_noticed) in [
            ("", false),
            ("x-api-key=the%20key", false),
            ("a=1, b=2=3,", false),
            ("x-api-key: hunter2", true),
            ("a=1,hunter2", true),
            ("a=", true),
            ("=1", true),
            ("a b=1", true),
        ] {
            for name in ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"] {
                let found = malformed_headers(|asked| (asked == name).then(|| value.to_owned()));
                assert_eq!(found, is_noticed.then_some(name), "{value}");
            }
        }
    }
}
