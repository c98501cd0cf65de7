//! A value for each leg.

use std::ops::{Index, IndexMut};

use crate::leg::Leg;

/// What there is of something on the client's leg, and on the upstream's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerLeg<T> {
    /// The client's.
    pub client: T,
    /// The upstream's.
    pub upstream: T,
}

impl<T> PerLeg<T> {
    /// One for each.
    #[must_use]
    pub const fn new(client: T, upstream: T) -> Self {
        PerLeg { client, upstream }
    }

    /// What `make` makes for each leg, the client's first.
    #[must_use]
    pub fn from_fn(mut make: impl FnMut(Leg) -> T) -> Self {
        PerLeg {
            client: make(Leg::Client),
            upstream: make(Leg::Upstream),
        }
    }

    /// The client's, then the upstream's.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.client, &self.upstream].into_iter()
    }

    /// The client's, then the upstream's.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        [&mut self.client, &mut self.upstream].into_iter()
    }
}

impl<T> Index<Leg> for PerLeg<T> {
    type Output = T;

    #[inline]
    fn index(&self, leg: Leg) -> &T {
        match leg {
            Leg::Client => &self.client,
            Leg::Upstream => &self.upstream,
        }
    }
}

impl<T> IndexMut<Leg> for PerLeg<T> {
    #[inline]
    fn index_mut(&mut self, leg: Leg) -> &mut T {
        match leg {
            Leg::Client => &mut self.client,
            Leg::Upstream => &mut self.upstream,
        }
    }
}
