//! What a complete sweep means for any rows: nothing is lost that should stay.
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proxbox_graphql::entity::{Origin, netbox_device};
use proxbox_graphql::service::netbox::mirror::{Absences, MOST_DELETED, SWEEPS, absences};
use std::collections::HashSet;

fn device(id: i32, origin: Origin, missed: i32) -> netbox_device::Model {
    let since = (missed > 0).then(|| DateTime::<Utc>::from_timestamp(1_700_000_000, 0).unwrap());
    netbox_device::Model { missing_since: since, missed, ..netbox_device::Model::known(id, None, "device", origin) }
}

fn rows() -> impl Strategy<Value = Vec<netbox_device::Model>> {
    let origin = prop_oneof![8 => Just(Origin::Netbox), 1 => Just(Origin::Manual), 1 => Just(Origin::Local)];
    prop::collection::vec((origin, 0..=SWEEPS), 0..60).prop_map(|rows| {
        let missed = |origin, missed| if origin == Origin::Netbox { missed } else { 0 };
        let row = |(i, (origin, count)): (usize, _)| device(i as i32 + 1, origin, missed(origin, count));
        rows.into_iter().enumerate().map(row).collect()
    })
}

proptest! {
    #[test]
    fn only_what_two_sweeps_lacked_goes_and_never_many(
        rows in rows(),
        seen in prop::collection::hash_set(1..70, 0..70),
        delete_many in any::<bool>(),
    ) {
        let now = Utc::now();
        let Absences { marks, gone, missing, held, unknown } = absences(rows.clone(), &seen, now, delete_many);
        let mirrored = rows.iter().filter(|row| row.origin == Origin::Netbox).collect::<Vec<_>>();
        let due = mirrored.iter().filter(|row| !seen.contains(&row.id) && row.missed + 1 >= SWEEPS).count();
        let many = due * 100 > mirrored.len() * MOST_DELETED;
        prop_assert_eq!(gone.len(), if many && !delete_many { 0 } else { due });
        prop_assert_eq!(held, if many && !delete_many { due } else { 0 });
        for row in &gone {
            prop_assert!(row.origin == Origin::Netbox && !seen.contains(&row.id) && row.missed >= 1);
        }
        let first = mirrored.iter().filter(|row| !seen.contains(&row.id) && row.missed == 0).count();
        prop_assert_eq!(missing, first);
        let touched = marks.iter().map(|(before, _)| before.id).collect::<HashSet<_>>();
        prop_assert_eq!(touched.len(), marks.len());
        for (before, after) in &marks {
            prop_assert!(before.origin == Origin::Netbox && before != after);
            prop_assert_eq!(after.missing_since.is_none(), seen.contains(&before.id));
            prop_assert_eq!(after.missed == 0, seen.contains(&before.id));
            // It is missing since it was first missed.
            prop_assert!(before.missing_since.is_none() || after.missing_since.is_none() || before.missing_since == after.missing_since);
        }
        for id in &unknown {
            prop_assert!(!seen.contains(id) && rows.iter().any(|row| row.id == *id && row.origin == Origin::Manual));
        }
        // What is not touched and not gone is as it should be already.
        let again = rows.iter().filter(|row| !touched.contains(&row.id) && !gone.iter().any(|gone| gone.id == row.id));
        for row in again.filter(|row| row.origin == Origin::Netbox) {
            prop_assert!(seen.contains(&row.id) == row.missing_since.is_none());
        }
    }
}
