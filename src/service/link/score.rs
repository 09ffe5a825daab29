//! How sure a suggestion is: the reasons, what each of them weighs, and when one candidate is clear of the others.

/// Why an object of NetBox is suggested, or what speaks against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// This link was accepted, or made by hand, and then lost.
    AcceptedBefore,
    /// The names are the same.
    Name,
    /// The names are the same but for the case of letters.
    NameIgnoringCase,
    /// One name is the first label of the other: `pve1` and `pve1.example.com`.
    FirstLabel,
    /// The node's address is a primary address of the device.
    PrimaryAddress,
    /// The device is in the NetBox cluster that the node's cluster is linked to; or devices that nodes of the cluster
    /// are linked to are in this NetBox cluster.
    NetBoxCluster,
    /// It is at the site of what the cluster and its nodes are linked to.
    Site,
    /// The device has another primary address.
    OtherAddress,
    /// What is linked already is in another NetBox cluster.
    OtherNetBoxCluster,
    /// What is linked already is at another site.
    OtherSite,
}

impl Reason {
    /// Every reason with its name, and with what it weighs in hundredths.
    pub const ALL: [(Self, &'static str, i32); 10] = [
        (Self::AcceptedBefore, "accepted_before", 100),
        (Self::Name, "name", 80),
        (Self::NameIgnoringCase, "name_ignoring_case", 75),
        (Self::FirstLabel, "first_label", 50),
        (Self::PrimaryAddress, "primary_address", 25),
        (Self::NetBoxCluster, "netbox_cluster", 15),
        (Self::Site, "site", 5),
        (Self::OtherAddress, "other_address", -15),
        (Self::OtherNetBoxCluster, "other_netbox_cluster", -20),
        (Self::OtherSite, "other_site", -20),
    ];

    /// As programs read it.
    pub fn value(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    fn weight(self) -> i32 {
        Self::ALL[self as usize].2
    }
}

/// What a candidate begins with whose name is another: only clusters have such, by what their nodes are linked to.
const ANOTHER_NAME: i32 = 35;
/// What a candidate needs to be exact: a name that is equal but for case, or the first label with the address. Whatever
/// speaks against it must be outweighed.
pub const EXACT: i32 = 75;
/// How far an exact candidate must be before the next one: by more than the difference of case, or the site alone.
pub const CLEAR: i32 = 15;

/// A set of reasons and what they weigh; small, since every pair of a name that repeats has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reasons {
    set: u16,
    sum: i32,
}

impl Reasons {
    pub(super) fn add(&mut self, reason: impl Into<Option<Reason>>) {
        if let Some(reason) = reason.into().filter(|reason| !self.has(*reason)) {
            self.set |= 1 << reason as u16;
            self.sum += reason.weight();
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().map(|(reason, ..)| reason).filter(move |reason| self.has(*reason))
    }

    fn has(self, reason: Reason) -> bool {
        self.set & (1 << reason as u16) != 0
    }

    /// What the reasons weigh together, beyond what a score can show: certain is certain, but one may be surer.
    fn weight(self) -> i32 {
        let named = [Reason::Name, Reason::NameIgnoringCase, Reason::FirstLabel].into_iter().any(|name| self.has(name));
        if named { self.sum } else { self.sum + ANOTHER_NAME }
    }

    /// The best come first: what a person decided, then what weighs more.
    pub(super) fn rank(self) -> (bool, i32) {
        (self.has(Reason::AcceptedBefore), self.weight())
    }

    /// The score, 0–100.
    pub(super) fn score(self) -> u8 {
        // Within the bounds by `clamp`.
        self.weight().clamp(0, 100) as u8
    }

    /// Whether the best candidate can be taken without a look at it: sure enough, and clear of all others.
    pub(super) fn is_exact(self, mut others: impl Iterator<Item = Self>) -> bool {
        self.weight() >= EXACT && others.all(|other| self.is_clear_of(other))
    }

    fn is_clear_of(self, other: Self) -> bool {
        let ((accepted, weight), (other_accepted, other_weight)) = (self.rank(), other.rank());
        // Whoever has the address has something that no name outweighs.
        let disputed = other.has(Reason::PrimaryAddress) && !self.has(Reason::PrimaryAddress);
        // Of two that were accepted nobody knows which one counts.
        !other_accepted && (accepted || weight - other_weight >= CLEAR && !disputed)
    }
}

#[cfg(test)]
mod tests {
    use super::Reason::*;
    use super::*;

    fn of(reasons: &[Reason]) -> Reasons {
        let mut set = Reasons::default();
        reasons.iter().for_each(|reason| set.add(*reason));
        set
    }

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, (reason, ..)) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, i);
            assert_eq!(of(&[reason]).iter().collect::<Vec<_>>(), [reason]);
        }
    }

    #[test]
    fn scores_are_those_of_the_table() {
        for (reasons, score, exact) in [
            (&[Name][..], 80, true),
            (&[NameIgnoringCase], 75, true),
            (&[FirstLabel], 50, false),
            (&[FirstLabel, PrimaryAddress], 75, true),
            (&[FirstLabel, NetBoxCluster, Site], 70, false),
            (&[Name, PrimaryAddress], 100, true),
            (&[Name, PrimaryAddress, NetBoxCluster, Site], 100, true),
            (&[Name, OtherAddress], 65, false),
            (&[Name, NetBoxCluster, OtherAddress], 80, true),
            (&[Name, OtherSite], 60, false),
            (&[Name, OtherNetBoxCluster], 60, false),
            (&[Name, PrimaryAddress, OtherSite], 85, true),
            (&[NetBoxCluster], 50, false),
            (&[NetBoxCluster, Site], 55, false),
            (&[FirstLabel, OtherAddress, OtherNetBoxCluster, OtherSite], 0, false),
            (&[AcceptedBefore], 100, true),
            (&[AcceptedBefore, OtherAddress, OtherNetBoxCluster, OtherSite], 80, true),
        ] {
            assert_eq!((of(reasons).score(), of(reasons).is_exact([].into_iter())), (score, exact), "{reasons:?}");
        }
    }

    #[test]
    fn an_exact_one_is_clear_of_the_second() {
        for (first, second, exact) in [
            (&[Name][..], &[Name][..], false),
            (&[Name], &[NameIgnoringCase], false),
            (&[Name], &[FirstLabel], true),
            (&[Name, Site], &[Name], false),
            (&[Name, Site], &[Name, OtherSite], true),
            (&[Name, NetBoxCluster], &[Name], true),
            (&[NameIgnoringCase, NetBoxCluster], &[Name, OtherNetBoxCluster], true),
            (&[Name, PrimaryAddress], &[Name, OtherAddress], true),
            (&[FirstLabel, PrimaryAddress], &[Name, OtherAddress], false),
            (&[Name, NetBoxCluster, Site, OtherAddress], &[Name, PrimaryAddress, OtherNetBoxCluster, OtherSite], false),
            (&[AcceptedBefore], &[Name, PrimaryAddress, NetBoxCluster, Site], true),
            (&[AcceptedBefore, Name], &[AcceptedBefore], false),
        ] {
            assert!(of(first).rank() >= of(second).rank(), "{first:?} {second:?}");
            assert_eq!(of(first).is_exact([of(second)].into_iter()), exact, "{first:?} {second:?}");
        }
    }
}
