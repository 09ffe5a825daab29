//! The REST API: what clients of the NetBox plugin `netbox-proxbox` use, over the same services as every other door.
//!
//! `router` is the table of contents; `resource` has the verbs, once; one file a resource has its fields.
mod ask;
mod body;
mod clock;
mod cluster;
mod document;
mod endpoint;
mod error;
mod etag;
mod field;
mod filter;
mod list;
mod metadata;
mod negotiate;
mod netbox;
mod node;
mod openapi;
mod query;
mod related;
mod resource;
mod roots;
mod router;
mod storage;
mod stream;
mod sync;
mod write;

pub use ask::Limits;
pub use query::PageSizes;
pub use router::{fallback, router};
