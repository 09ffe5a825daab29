use std::net::{IpAddr, Ipv6Addr};

/// The canonical text of an IP address (RFC 5952; `::1.2.3.4` keeps its dotted form, as NetBox shows it).
pub fn canonical(text: &str) -> Option<String> {
    text.parse().ok().map(format)
}

/// The canonical text with an IPv4-mapped address unpacked (`::ffff:1.2.3.4` → `1.2.3.4`): the rule of writing.
pub fn unpacked(text: &str) -> Option<String> {
    text.parse::<IpAddr>().ok().map(|address| format(address.to_canonical()))
}

fn format(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) if is_compatible(v6) => {
            let [.., a, b, c, d] = v6.octets();
            format!("::{a}.{b}.{c}.{d}")
        }
        other => other.to_string(),
    }
}

/// `::a.b.c.d` as the C library tells it from short addresses such as `::1`.
fn is_compatible(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    segments[..6].iter().all(|segment| *segment == 0) && segments[6] != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        for (given, canonical_form, written) in [
            ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
            ("2001:DB8:0:0::00FF", "2001:db8::ff", "2001:db8::ff"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4", "1.2.3.4"),
            ("::FFFF:102:304", "::ffff:1.2.3.4", "1.2.3.4"),
            ("::1.2.3.4", "::1.2.3.4", "::1.2.3.4"),
            ("::1", "::1", "::1"),
            ("::", "::", "::"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(canonical_form), "{given}");
            assert_eq!(unpacked(given).as_deref(), Some(written), "{given}");
        }
        for bad in ["", "10.0.0", "10.0.0.1/24", "fe80::1%eth0", " 10.0.0.1", "host"] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }
}
