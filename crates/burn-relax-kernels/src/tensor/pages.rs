//! Large pages for large outputs.
//!
//! An allocator gives a large block back to the system when it is freed, so that every large output is made of fresh pages, and the
//! kernel clears each of them on its first write. With pages of 4 KiB that takes longer than most of our kernels. A hint makes it
//! pages of 2 MiB where the system leaves the choice to programs, as most do.

/// Bytes from which an output gets the hint: several large pages.
const LARGE: usize = 8 << 20;

/// Asks for large pages behind the unused capacity of an empty vector.
#[cfg(target_os = "linux")]
pub(super) fn prefer_large<E>(vector: &mut Vec<E>) {
    /// Where a hint may begin and end.
    const PAGE: usize = 4096;

    let spare = vector.spare_capacity_mut();
    let bytes = size_of_val(spare);
    if bytes < LARGE {
        return;
    }
    let start = spare.as_mut_ptr().cast::<u8>();
    let skip = start.align_offset(PAGE);
    let whole = (bytes - skip) / PAGE * PAGE;
    // SAFETY: these pages lie inside the vector's own block, and the hint changes no content. A system that refuses it goes on
    // with the pages it has.
    unsafe { libc::madvise(start.add(skip).cast(), whole, libc::MADV_HUGEPAGE) };
}

/// Other systems choose by themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn prefer_large<E>(_: &mut Vec<E>) {
    let _ = LARGE;
}
