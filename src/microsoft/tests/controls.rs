//! Records of the secure score with their controls.

use super::world::{World, is_token_request};
use crate::{egress::loopback::reply, microsoft::*};

#[tokio::test]
async fn a_record_whose_controls_can_not_be_read_still_has_its_score() {
    let record = |averages: usize| {
        let average = serde_json::json!({ "basis": "AllTenants", "averageScore": 1 });
        let control = serde_json::json!({ "controlName": "AdminMFAV2", "controlCategory": "Identity", "score": 5 });
        let record = serde_json::json!({
            "id": "contoso_2026-09-20", "createdDateTime": "2026-09-20T00:00:00Z", "currentScore": 55, "maxScore": 100,
            "controlScores": [control], "averageComparativeScores": vec![average; averages],
        });
        serde_json::json!({ "value": [record] }).to_string()
    };
    for (averages, records) in [(50, 1), (51, 0)] {
        let body = record(averages);
        let world = World::new(move |seen| (!is_token_request(seen)).then(|| reply(200, "", body.as_str()))).await;
        let next = world.clock.now().plus(Duration::from_hours(1));
        let polled = world.microsoft.poll(&world.account, &[ScoreKind::SecureScore], |_| None, true, next).await;
        let polled = polled.first().unwrap();
        assert!((polled.result.as_ref().unwrap()[0].sample.value - 55.0).abs() < f64::EPSILON, "{averages}");
        assert_eq!(polled.records.len(), records, "{averages}");
    }
}
