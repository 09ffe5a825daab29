//! Which addresses may be connected to. What an operator, or whoever may write endpoints, enters here must not reach the
//! metadata services of clouds or this machine itself.
use super::failure::{Class, Failure};
use super::rules::Rules;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Services that give secrets to whoever asks on a cloud's machine: AWS and most others, Alibaba, Oracle, Azure.
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// A host as it is connected to.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// As it stands in an address: brackets around IPv6.
    pub url: String,
    /// Without brackets; what a certificate must be for.
    pub name: String,
    pub literal: Option<IpAddr>,
}

impl Host {
    /// Reads a domain name or an address without brackets. An address is checked here, whatever its spelling: what
    /// parsers of URLs take for one (`127.1`, `0x7f.1`, `2130706433`) counts as one.
    pub fn parse(text: &str, rules: &Rules) -> Result<Self, Failure> {
        let wrong = || Failure::new(Class::Address, format!("“{text}” is neither an IP address nor a domain name"));
        let bad = |c: char| c.is_whitespace() || c.is_control() || "/:@?#[]\\%".contains(c);
        let url = match text.parse() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            Ok(IpAddr::V4(address)) => address.to_string(),
            Err(_) if text.is_empty() || text.contains(bad) => return Err(wrong()),
            Err(_) => text.to_owned(),
        };
        let parsed = Url::parse(&format!("https://{url}/")).map_err(|_| wrong())?;
        let url = parsed.host_str().ok_or_else(wrong)?.to_owned();
        let name = url.trim_start_matches('[').trim_end_matches(']').to_owned();
        let literal = name.parse().ok();
        if let Some(address) = literal {
            allowed(address, rules).map_err(|why| Failure::new(Class::Address, refusal(&name, address, why)))?;
        }
        Ok(Self { url, name, literal })
    }

    /// Its addresses that may be connected to, of which there is one at least.
    pub async fn addresses(&self, rules: &Rules) -> Result<Vec<IpAddr>, Failure> {
        match self.literal {
            Some(address) => Ok(vec![address]),
            None => resolve(&self.name, rules).await,
        }
    }
}

/// The addresses of a name that may be connected to.
async fn resolve(name: &str, rules: &Rules) -> Result<Vec<IpAddr>, Failure> {
    let found = tokio::net::lookup_host((name, 0)).await;
    let found = found.map_err(|error| Failure::new(Class::Dns, format!("{name} has no address: {error}")))?;
    let (mut good, mut refused) = (Vec::new(), None);
    for address in found.map(|found| found.ip()) {
        match allowed(address, rules) {
            Ok(()) => good.push(address),
            Err(why) => refused = Some(refusal(name, address, why)),
        }
    }
    match refused {
        _ if !good.is_empty() => Ok(good),
        Some(refusal) => Err(Failure::new(Class::Address, refusal)),
        None => Err(Failure::new(Class::Dns, format!("{name} has no address"))),
    }
}

fn refusal(name: &str, address: IpAddr, why: &str) -> String {
    let is = if name.parse() == Ok(address) { String::new() } else { format!(" is {address}, which") };
    format!("{name}{is} is not connected to: {why}")
}

/// Whether an address may be connected to; else why not. Private ranges may: that is where Proxmox lives.
fn allowed(address: IpAddr, rules: &Rules) -> Result<(), &'static str> {
    if METADATA.contains(&address) {
        return Err("cloud metadata");
    }
    match address {
        IpAddr::V4(address) => allowed_v4(address, rules),
        IpAddr::V6(address) => allowed_v6(address, rules),
    }
}

fn allowed_v4(address: Ipv4Addr, rules: &Rules) -> Result<(), &'static str> {
    match address {
        _ if address.octets()[0] == 0 => Err("no address"),
        _ if address.is_loopback() && !rules.allow_loopback => Err("this machine itself (loopback is not allowed)"),
        _ if address.is_link_local() => Err("link-local"),
        _ if address.is_multicast() => Err("multicast"),
        _ if address.is_broadcast() => Err("broadcast"),
        _ => Ok(()),
    }
}

fn allowed_v6(address: Ipv6Addr, rules: &Rules) -> Result<(), &'static str> {
    match address {
        _ if address.is_unspecified() => Err("no address"),
        _ if address.is_loopback() && rules.allow_loopback => Ok(()),
        _ if address.is_loopback() => Err("this machine itself (loopback is not allowed)"),
        _ if address.is_unicast_link_local() => Err("link-local"),
        _ if address.is_multicast() => Err("multicast"),
        _ => inner(address).map_or(Ok(()), |inner| allowed(IpAddr::V4(inner), rules)),
    }
}

/// The IPv4 address that is reached through an IPv6 one: mapped, compatible, NAT64 or 6to4.
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Resolves names for a connection, so that the address that is checked is the one connected to.
#[derive(Debug)]
pub(super) struct Resolver {
    pub rules: Rules,
    /// Where it is told why there was no address.
    pub why: Arc<Mutex<Option<Failure>>>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, why) = (self.rules.clone(), self.why.clone());
        Box::pin(async move {
            match resolve(name.as_str(), &rules).await {
                Ok(found) => {
                    // The port is that of the URL.
                    let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
                    Ok(Box::new(found) as Addrs)
                }
                Err(failure) => {
                    *why.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.clone());
                    Err(failure.into())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow_loopback: bool) -> Rules {
        Rules { allow_loopback, ..Rules::default() }
    }

    #[test]
    fn addresses_are_refused_in_every_spelling() {
        for refused in [
            "0.0.0.0",
            "0.1.2.3",
            "0",
            "127.0.0.1",
            "127.255.0.1",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0177.0.0.1",
            "169.254.1.1",
            "169.254.169.254",
            "0xa9fea9fe",
            "100.100.100.200",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:1",
            "::ffff:224.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "１２７.0.0.1",
        ] {
            let failure = Host::parse(refused, &rules(false)).expect_err(refused);
            assert_eq!(failure.class, Class::Address, "{refused}: {failure}");
        }
    }

    #[test]
    fn private_and_public_addresses_and_names_pass() {
        for passed in [
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "100.64.0.1",
            "8.8.8.8",
            "fd00::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "pve1.example.com",
            "pve1",
            "localhost",
            "127.0.0.1.example.com",
        ] {
            assert!(Host::parse(passed, &rules(false)).is_ok(), "{passed}");
        }
        for loopback in ["127.0.0.1", "127.1", "::1", "::ffff:127.0.0.1"] {
            assert!(Host::parse(loopback, &rules(true)).is_ok(), "{loopback}");
        }
        assert_eq!(Host::parse("2001:DB8::1", &rules(false)).expect("an address").url, "[2001:db8::1]");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in
            ["", " ", "a b", "a/b", "a:1", "u@h", "[::1]", "a?b", "a#b", "fe80::1%eth0", "a\0b", "https://a", "%31"]
        {
            assert_eq!(Host::parse(bad, &rules(true)).expect_err(bad).class, Class::Address, "{bad}");
        }
    }

    #[tokio::test]
    async fn names_are_checked_after_they_are_resolved() {
        let failure = resolve("localhost", &rules(false)).await.expect_err("loopback");
        assert_eq!(failure.class, Class::Address, "{failure}");
        assert!(failure.message.starts_with("localhost is "), "{failure}");
        assert!(resolve("localhost", &rules(true)).await.is_ok());
        let failure = resolve("nowhere.invalid", &rules(true)).await.expect_err("no such name");
        assert_eq!(failure.class, Class::Dns, "{failure}");
    }
}
