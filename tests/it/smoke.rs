//! The suite itself works on both databases.
use crate::support::{TestDb, both};

async fn seed_loads(db: TestDb) {
    let data = db.server().await.data("{ proxmoxNodes { totalCount } }").await;
    assert_eq!(data["proxmoxNodes"]["totalCount"], 14);
}

both!(seed_loads);
