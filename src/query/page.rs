//! Long lists, a page at a time.

use std::num::NonZeroU32;

use serde::Serialize;

/// Which part of a list: at most `limit` items, the first of them the one that follows `after`.
///
/// A cursor names the last item of the page before, not a position: what is added to the list or leaves it meanwhile neither
/// repeats items nor skips any. An item that moves within the list, such as an alert that changes, may be seen again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<C> {
    /// At most that many items; `None`: all of them.
    pub limit: Option<NonZeroU32>,
    /// The item that the page follows; `None`: the list's beginning.
    pub after: Option<C>,
}

impl<C> Page<C> {
    /// The whole list on one page.
    pub const ALL: Self = Self { limit: None, after: None };

    /// The list's first items; 0: all of them.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { limit: NonZeroU32::new(limit), after: None }
    }

    /// How many items to read so that it shows whether there are more; `None`: all.
    pub(super) fn to_read(&self) -> Option<u32> {
        self.limit.map(|limit| limit.get().saturating_add(1))
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Listing<T, C> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins: [`Page::after`] of the next question. `None`: nothing follows.
    pub next: Option<C>,
}

impl<T, C> Listing<T, C> {
    /// Cuts off what was read beyond the page, see [`Page::to_read`].
    pub(super) fn cut(mut items: Vec<T>, page: &Page<C>, cursor: impl FnOnce(&T) -> C) -> Self {
        let limit = page.limit.map_or(usize::MAX, |limit| usize::try_from(limit.get()).unwrap_or(usize::MAX));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = if has_more { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_whether_more_follows() {
        let page = |limit| Page { limit: NonZeroU32::new(limit), after: None };
        for (limit, read, items, next) in [
            (2, &[5, 4, 3][..], &[5, 4][..], Some(4)),
            (2, &[5, 4], &[5, 4], None),
            (2, &[], &[], None),
            (0, &[5, 4, 3], &[5, 4, 3], None),
        ] {
            let listing = Listing::cut(read.to_vec(), &page(limit), |item| *item);
            assert_eq!((listing.items.as_slice(), listing.next), (items, next), "{limit} of {read:?}");
        }
        assert_eq!((page(2).to_read(), page(0).to_read()), (Some(3), None));
    }
}
