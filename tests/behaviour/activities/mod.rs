//! Activities: when an attempt is given up, when it is made again, how many run at once, what an
//! attempt knows, and what a call may say.

mod calls;
mod context;
mod limits;
mod parked;
mod retries;
mod threads;
mod timeouts;
