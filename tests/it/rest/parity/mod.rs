//! REST and GraphQL are two doors of one house: the same question finds the same rows, the same write leaves the same
//! row and the same change, the same wrong input names the same field.
mod questions;
mod writes;
mod wrongs;
