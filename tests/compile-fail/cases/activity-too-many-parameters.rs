//! More parameters than an activity may have.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(
    _a: u8, _b: u8, _c: u8, _d: u8, _e: u8, _f: u8, _g: u8, _h: u8, _i: u8,
    //~ error at `_a: u8, _b: u8, _c: u8, _d: u8, _e: u8, _f: u8, _g: u8, _h: u8, _i: u8, _j: u8, _k: u8, _l: u8, _m: u8, _n: u8, _o: u8, _p: u8, _q: u8,`: an activity has at most 16 stored parameters, this one 17
    //~ help: put them into a struct
    //~ see docs/errors/activity-argument.md
    _j: u8, _k: u8, _l: u8, _m: u8, _n: u8, _o: u8, _p: u8, _q: u8,
) -> u64 {
    1
}
