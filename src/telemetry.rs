//! The service watching itself: meters, traces and logs.

pub mod logs;
pub mod traces;
