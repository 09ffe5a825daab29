//! Sync from Proxmox: its runs, what they saw and changed, and how it stands with each endpoint.
mod change;
mod endpoint;
mod report;
mod run;

pub use endpoint::EndpointSync;
pub use run::{SyncQuery, SyncRun};

use super::error::Result;
use crate::entity::Scalar;
use crate::error::Error;
use crate::page::{Key, KeyType, Page, PageArgs, Position, Signature, signature};
use sea_orm::sea_query::Expr;

/// A page of a list that is paged by one number: its size, and behind which number it begins.
fn page(list: &str, first: Option<i64>, after: Option<String>) -> Result<(u64, Option<i32>)> {
    let number = Key { expr: Expr::val(0), ty: KeyType::Int, nullable: false, descending: false, nulls_first: false };
    let arguments = PageArgs { first, after, ..PageArgs::default() };
    let page = Page::new(&arguments, signature(list), &[number])?;
    let Some(position) = page.after else { return Ok((page.limit, None)) };
    match position.0.first() {
        Some(Some(Scalar::Int(number))) => {
            let number = i32::try_from(*number).map_err(|_| Error::Cursor("this is not a cursor of this server"))?;
            Ok((page.limit, Some(number)))
        }
        _ => Err(Error::Cursor("this is not a cursor of this server").into()),
    }
}

/// The cursor of a number in such a list.
fn cursor(list: &str, number: i32) -> String {
    let list: Signature = signature(list);
    Position(vec![Some(Scalar::Int(number.into()))]).cursor(list)
}
