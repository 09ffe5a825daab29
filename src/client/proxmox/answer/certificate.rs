use super::{Object, listed, text_of};
use crate::client::failure::Failure;
use serde_json::Value;

/// An item of `GET /nodes/{node}/certificates/info`.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// Such as `pve-root-ca.pem`.
    pub filename: Option<String>,
    /// With slashes: `/CN=…/OU=…`.
    pub subject: Option<String>,
    /// Likewise.
    pub issuer: Option<String>,
    /// SHA-256.
    pub fingerprint: Option<String>,
}

/// Nothing of an item is required, so what is left out is no item at all.
pub(in crate::client::proxmox) fn certificates(data: Value) -> Result<Vec<Certificate>, Failure> {
    let read = |item: Object| {
        let text = |key| text_of(&item, key);
        let [filename, subject] = ["filename", "subject"].map(text);
        Ok(Certificate { filename, subject, issuer: text("issuer"), fingerprint: text("fingerprint") })
    };
    Ok(listed(data, read)?.items)
}

/// The UUID of a cluster: the OU of its own CA, in lower case. None if the certificates are not of that CA.
pub fn ca_uuid(certificates: &[Certificate]) -> Option<String> {
    let file = |name: &str| certificates.iter().find(|certificate| certificate.filename.as_deref() == Some(name));
    let root = file("pve-root-ca.pem").and_then(|root| uuid(root.subject.as_deref()?));
    root.or_else(|| uuid(file("pve-ssl.pem")?.issuer.as_deref()?))
}

/// The OU of a name, if it is a UUID.
fn uuid(name: &str) -> Option<String> {
    let units = name.split(['/', ',']).filter_map(|part| part.split_once('='));
    let mut units = units.filter(|(key, _)| key.trim().eq_ignore_ascii_case("OU")).map(|(_, value)| value.trim());
    units.find(|unit| is_uuid(unit)).map(str::to_ascii_lowercase)
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq(lengths) && text.split('-').all(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0f2b5c1e-7d43-4f0a-9b52-3d1f6a7c9e10";

    fn certificate(filename: &str, subject: &str, issuer: &str) -> Certificate {
        let text = |text: &str| Some(text.to_owned());
        Certificate { filename: text(filename), subject: text(subject), issuer: text(issuer), fingerprint: None }
    }

    #[test]
    fn a_cluster_is_known_by_its_ca() {
        let name = format!("/CN=Proxmox Virtual Environment/OU={}/O=PVE Cluster Manager CA", UUID.to_uppercase());
        let other = format!("CN = Proxmox Virtual Environment, OU = {UUID}, O = PVE Cluster Manager CA");
        for certificates in [
            vec![certificate("pve-root-ca.pem", &name, &name)],
            vec![certificate("pve-ssl.pem", "/OU=PVE Cluster Node/CN=pve1", &name)],
            vec![certificate("pveproxy-ssl.pem", "/CN=pve1", "/CN=R3"), certificate("pve-root-ca.pem", &other, "")],
        ] {
            assert_eq!(ca_uuid(&certificates).as_deref(), Some(UUID), "{certificates:?}");
        }
        for certificates in [
            vec![],
            vec![certificate("pve-root-ca.pem", "/CN=x/OU=PVE Cluster Node", "")],
            vec![certificate("pveproxy-ssl.pem", &name, &name)],
            vec![certificate("pve-root-ca.pem", &format!("/CN={UUID}"), "")],
        ] {
            assert_eq!(ca_uuid(&certificates), None, "{certificates:?}");
        }
    }
}
