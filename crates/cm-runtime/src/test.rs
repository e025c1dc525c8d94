//! Which test a process runs: `cm test` starts one for each.

use crate::c;

/// The number in the environment variable `CM_TEST_NUMBER`; -1 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn cm_test_number() -> i32 {
    // SAFETY: names and values of variables are NUL-terminated.
    unsafe {
        let text = c::getenv(c"CM_TEST_NUMBER".as_ptr());
        if text.is_null() { -1 } else { c::atoi(text) }
    }
}
