use super::Cause;
use crate::microsoft::FailureClass;

#[test]
fn a_cause_is_read_back_as_it_was_written() {
    let app = uuid::Uuid::from_u128(7);
    for cause in [
        Cause::Service,
        Cause::Clock,
        Cause::Proxy,
        Cause::Refusal(FailureClass::TokenRefused),
        Cause::Credential(app),
        Cause::App(app),
    ] {
        assert_eq!(Cause::from_key(&cause.key()), Some(cause));
    }
    for other in ["", "service of another version", "refusal nothing", "app 7"] {
        assert!(Cause::from_key(other).is_none_or(|cause| cause == Cause::Service), "{other}");
    }
}
