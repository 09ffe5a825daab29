use super::*;
use proptest::prelude::*;

fn rate(most: u32, limit: fn(NonZeroU32) -> Rate) -> Rate {
    limit(NonZeroU32::new(most).expect("not zero"))
}

fn rates() -> impl Strategy<Value = Rate> {
    prop_oneof![
        (1u32..2_000).prop_map(|most| rate(most, Rate::steady)),
        (1u32..50).prop_map(|most| rate(most, Rate::at_once))
    ]
}

proptest! {
    #[test]
    fn no_stretch_of_time_holds_more_than_allowed(rate in rates(), pauses in prop::collection::vec(0u64..3_000, 1..400)) {
        let buckets = Buckets::new(rate);
        let mut now = Instant::now();
        let mut taken = Vec::new();
        for pause in pauses {
            now += Duration::from_millis(pause);
            match buckets.take((), now) {
                Ok(()) => taken.push(now),
                Err(wait) => {
                    prop_assert_eq!(buckets.wait(&(), now), Some(wait));
                    prop_assert!(wait <= rate.each());
                    prop_assert_eq!(buckets.wait(&(), now + wait), None, "the wait that is told is enough");
                    prop_assert!(buckets.wait(&(), now + wait - Duration::from_nanos(1)).is_some(), "and not too long");
                }
            }
        }
        for (i, from) in taken.iter().enumerate() {
            for (j, to) in taken.iter().enumerate().skip(i) {
                let came = (*to - *from).as_nanos() / rate.each().as_nanos();
                prop_assert!((j - i + 1) as u128 <= u128::from(rate.at_once) + came);
            }
        }
    }

    #[test]
    fn who_waits_a_minute_has_it_all_again(rate in rates(), charged in 0u32..3_000) {
        let buckets = Buckets::new(rate);
        let now = Instant::now();
        (0..charged).for_each(|_| buckets.charge((), now));
        prop_assert_eq!(buckets.wait(&(), now).is_some(), charged >= rate.at_once);
        prop_assert_eq!(buckets.wait(&(), now + MINUTE + rate.each()), None, "debts end");
        let later = now + MINUTE + MINUTE;
        let whole = (0..rate.at_once).all(|_| buckets.take((), later).is_ok());
        prop_assert!(whole && buckets.take((), later).is_err());
    }
}

#[test]
fn what_may_come_at_once() {
    let steady = |most| rate(most, Rate::steady).at_once;
    assert_eq!([1, 6, 10, 60, 600, 6_000].map(steady), [1, 6, 10, 10, 100, 1_000]);
    assert_eq!([1, 20].map(|most| rate(most, Rate::at_once).at_once), [1, 20]);
}

#[test]
fn a_flood_of_keys_fills_nothing_and_shares_one_bucket() {
    let buckets = Buckets::new(rate(2, Rate::at_once));
    let now = Instant::now();
    let own = u32::try_from(Fading::<u32>::MOST).expect("a number");
    for key in 0..own + 1_000 {
        buckets.charge(key, now);
        buckets.is_news(key, now);
    }
    let state = locked(&buckets.state);
    assert_eq!((state.full.until.len(), state.told.until.len()), (Fading::<u32>::MOST, Fading::<u32>::MOST));
    drop(state);
    assert_eq!(buckets.wait(&7, now), None, "who has a bucket keeps it");
    assert!(buckets.wait(&(own + 5_000), now).is_some(), "a stranger meets what others took");
    let later = now + MINUTE;
    assert_eq!(buckets.wait(&(own + 5_000), later), None, "there is room again");
    assert_eq!(locked(&buckets.state).full.until.len(), 0);
}

#[test]
fn news_are_told_once_a_minute() {
    let buckets = Buckets::new(rate(1, Rate::at_once));
    let now = Instant::now();
    assert!(buckets.is_news(1, now) && !buckets.is_news(1, now + MINUTE / 2) && buckets.is_news(2, now));
    assert!(buckets.is_news(1, now + MINUTE));
}
