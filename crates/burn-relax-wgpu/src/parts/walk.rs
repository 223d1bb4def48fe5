//! Walks of a unit through its groups of a row: what is done with a group, or with a class, stands in a closure.
//!
//! CubeCL expands closures, but no function that takes one. So each function here that does has two forms: one that a kernel's types are
//! checked against, and one named `__expand_…` that CubeCL calls while it makes a kernel.

use std::cell::RefCell;

use burn_cubecl::cubecl;
use cubecl::{prelude::*, unexpanded};

use super::{
    lanes::add_up,
    number::zero,
    partials::{hand_on, merged_sums},
    plan::Phase,
    row::{Place, PlaceExpand},
    view::{Row, RowExpand},
};

/// The entries of a row, or of two rows side by side.
#[derive(CubeType)]
pub(crate) struct Entries<'a, 'b, F: Float, N: Size> {
    first: Row<'a, F, N>,
    second: Row<'b, F, N>,
    #[cube(comptime)]
    both: bool,
}

/// A class that a walk has come to.
#[derive(CubeType)]
pub(crate) struct Class {
    group: usize,
    /// Its place in the group.
    #[cube(comptime)]
    part: usize,
}

/// Sums while a kernel is made.
type Sums<A> = NativeExpand<Array<A>>;

/// What a kernel does with a group.
type Step<'s> = dyn Fn(&Scope, NativeExpand<usize>) + 's;

/// What a kernel does with a class and its entries; where there is one row, it has the same entry twice.
type Visit<'v, A> = dyn Fn(&Scope, ClassExpand, NativeExpand<A>, NativeExpand<A>) + 'v;

/// What a kernel writes for the entries of a class.
type Value<'v, A> = dyn Fn(&Scope, NativeExpand<A>, NativeExpand<A>) -> NativeExpand<A> + 'v;

#[cube]
impl<'a, F: Float, N: Size> Row<'a, F, N> {
    /// The row alone.
    pub(crate) fn entries(&self) -> Entries<'a, 'a, F, N> {
        self.joined(self, false)
    }

    /// The row beside another one.
    pub(crate) fn beside<'b>(&self, other: &Row<'b, F, N>) -> Entries<'a, 'b, F, N> {
        self.joined(other, true)
    }

    fn joined<'b>(&self, other: &Row<'b, F, N>, #[comptime] both: bool) -> Entries<'a, 'b, F, N> {
        Entries::<'a, 'b, F, N> {
            first: self.again(),
            second: other.again(),
            both: comptime!(both),
        }
    }

    fn again(&self) -> Row<'a, F, N> {
        Row::<'a, F, N> {
            data: self.data,
            start: self.start,
            step: self.step,
            feature: self.feature,
        }
    }
}

#[cube]
impl<'a, 'b, F: Float, N: Size> Entries<'a, 'b, F, N> {
    /// The entries of group `g`.
    fn read<A: Float>(&self, g: usize) -> (Vector<A, N>, Vector<A, N>) {
        let both = comptime!(self.both);
        let first = self.first.group::<A>(g);
        let second = if comptime!(both) {
            self.second.group::<A>(g)
        } else {
            first
        };
        (first, second)
    }
}

#[cube]
impl Class {
    /// The class's number in its row.
    pub(crate) fn number<N: Size>(&self) -> usize {
        let part = comptime!(self.part);
        self.group * N::value() + part
    }

    /// Puts a value into its group, and the group into the result once all of it is there.
    pub(crate) fn put<F: Float, A: Float, N: Size>(
        &self,
        value: A,
        group: &mut Vector<F, N>,
        out: &mut Tensor<Vector<F, N>>,
        place: &Place,
    ) {
        let part = comptime!(self.part);
        let size = N::value().comptime();
        group.insert(part, F::cast_from(value));
        if comptime!(part + 1 == size) {
            if place.live {
                out[place.at(self.group)] = *group;
            }
        }
    }
}

#[cube]
fn take_step(g: usize, #[comptime] step: &Step<'_>) {
    intrinsic!(|scope| step(scope, g))
}

#[cube]
fn visit_class<A: Float>(class: Class, x: A, y: A, #[comptime] visit: &Visit<'_, A>) {
    intrinsic!(|scope| visit(scope, class, x, y))
}

#[cube]
fn value_of<A: Float>(x: A, y: A, #[comptime] value: &Value<'_, A>) -> A {
    intrinsic!(|scope| value(scope, x, y))
}

/// Steps through the unit's groups from `from` to `end`.
#[cube]
fn pass(place: &Place, from: usize, end: usize, #[comptime] step: &Step<'_>) {
    let mut g = from;
    while g < end {
        take_step(g, step);
        g = place.next(g);
    }
}

/// The same in blocks: what a block's steps add to `parts` joins the sums at its end.
#[cube]
fn pass_blocks<A: Float>(
    place: &Place,
    end: usize,
    parts: &mut Array<A>,
    #[comptime] count: usize,
    #[comptime] step: &Step<'_>,
) -> Array<A> {
    let mut sums = Array::<A>::new(count);
    #[unroll]
    for s in 0..count {
        sums[s] = zero::<A>();
    }
    let mut from = place.first;
    while from < end {
        #[unroll]
        for s in 0..count {
            parts[s] = zero::<A>();
        }
        pass(place, from, min(from + place.rows.block, end), step);
        #[unroll]
        for s in 0..count {
            sums[s] += parts[s];
        }
        from += place.rows.block;
    }
    sums
}

/// Visits the classes of a group.
#[cube]
fn visit_group<F: Float, A: Float, N: Size>(
    entries: &Entries<'_, '_, F, N>,
    g: usize,
    #[comptime] visit: &Visit<'_, A>,
) {
    let (first, second) = entries.read::<A>(g);
    #[unroll]
    for k in 0..N::value() {
        let class = Class { group: g, part: k };
        let (x, y) = (first.extract(k), second.extract(k));
        visit_class::<A>(class, x, y, visit);
    }
}

/// Writes what there is for every class of this unit.
#[cube]
fn write_groups<F: Float, A: Float, N: Size>(
    entries: &Entries<'_, '_, F, N>,
    out: &mut Tensor<Vector<F, N>>,
    place: &Place,
    #[comptime] value: &Value<'_, A>,
) {
    if place.live {
        let mut g = place.first;
        while g < place.end {
            let (first, second) = entries.read::<A>(g);
            let mut group = Vector::<F, N>::empty();
            #[unroll]
            for k in 0..N::value() {
                let written = value_of::<A>(first.extract(k), second.extract(k), value);
                group.insert(k, F::cast_from(written));
            }
            out[place.at(g)] = group;
            g = place.next(g);
        }
    }
}

/// Adds to the first of several sums.
#[cube]
fn add_first<A: Float>(sums: &mut Array<A>, term: A) {
    sums[0] += term;
}

/// The first of several sums.
#[cube]
fn first<A: Float>(sums: &Array<A>) -> A {
    sums[0]
}

impl Place {
    /// Takes `step` with each group of this unit.
    pub(crate) fn each(&self, _step: impl FnMut(usize)) {
        unexpanded!()
    }

    /// This unit's `count` sums over its groups before `end`, in blocks.
    pub(crate) fn sums<A: Float>(
        &self,
        _end: usize,
        _count: usize,
        _step: impl FnMut(&mut Array<A>, usize),
    ) -> Array<A> {
        unexpanded!()
    }
}

impl PlaceExpand {
    pub(crate) fn __expand_each_method(
        &self,
        scope: &Scope,
        step: impl FnMut(&Scope, NativeExpand<usize>),
    ) {
        let step = RefCell::new(step);
        let step = |scope: &Scope, g| step.borrow_mut()(scope, g);
        pass::expand(scope, self, self.first, self.end, &step);
    }

    pub(crate) fn __expand_sums_method<A: Float>(
        &self,
        scope: &Scope,
        end: NativeExpand<usize>,
        count: usize,
        step: impl FnMut(&Scope, &mut Sums<A>, NativeExpand<usize>),
    ) -> Sums<A> {
        let step = RefCell::new(step);
        let mut parts = Array::<A>::__expand_new(scope, count);
        let shared = parts;
        let add = |scope: &Scope, g| step.borrow_mut()(scope, &mut shared.clone(), g);
        pass_blocks::expand::<A>(scope, self, end, &mut parts, count, &add)
    }
}

impl<'a, 'b, F: Float, N: Size> Entries<'a, 'b, F, N> {
    /// Visits the classes of this unit.
    pub(crate) fn each<A: Float>(&self, _place: &Place, _visit: impl FnMut(Class, A, A)) {
        unexpanded!()
    }

    /// This unit's `count` sums, to which each class adds, in blocks.
    pub(crate) fn sums<A: Float>(
        &self,
        _place: &Place,
        _count: usize,
        _visit: impl FnMut(&mut Array<A>, Class, A, A),
    ) -> Array<A> {
        unexpanded!()
    }

    /// The row's `count` sums in any phase. They are the first of the `width` numbers that a chunk hands on.
    pub(crate) fn split_sums<A: Float>(
        &self,
        _partials: &mut Tensor<A>,
        _width: usize,
        _place: &Place,
        _count: usize,
        _visit: impl FnMut(&mut Array<A>, Class, A, A),
    ) -> Array<A> {
        unexpanded!()
    }

    /// The row's sum of a term for each class.
    pub(crate) fn sum<A: Float>(&self, _place: &Place, _term: impl FnMut(A, A) -> A) -> A {
        unexpanded!()
    }

    /// Writes a value for each class.
    pub(crate) fn write<A: Float>(
        &self,
        _out: &mut Tensor<Vector<F, N>>,
        _place: &Place,
        _value: impl FnMut(A, A) -> A,
    ) {
        unexpanded!()
    }
}

impl<'a, 'b, F: Float, N: Size> EntriesExpand<'a, 'b, F, N> {
    pub(crate) fn __expand_each_method<A: Float>(
        &self,
        scope: &Scope,
        place: &PlaceExpand,
        visit: impl FnMut(&Scope, ClassExpand, NativeExpand<A>, NativeExpand<A>),
    ) {
        let visit = RefCell::new(visit);
        let visit = |scope: &Scope, class, x, y| visit.borrow_mut()(scope, class, x, y);
        place.__expand_each_method(scope, |scope, g| {
            visit_group::expand::<F, A, N>(scope, self, g, &visit);
        });
    }

    pub(crate) fn __expand_sums_method<A: Float>(
        &self,
        scope: &Scope,
        place: &PlaceExpand,
        count: usize,
        visit: impl FnMut(&Scope, &mut Sums<A>, ClassExpand, NativeExpand<A>, NativeExpand<A>),
    ) -> Sums<A> {
        let visit = RefCell::new(visit);
        place.__expand_sums_method(scope, place.end, count, |scope, parts, g| {
            let parts = RefCell::new(parts);
            visit_group::expand::<F, A, N>(scope, self, g, &|scope, class, x, y| {
                visit.borrow_mut()(scope, &mut parts.borrow_mut(), class, x, y)
            });
        })
    }

    pub(crate) fn __expand_split_sums_method<A: Float>(
        &self,
        scope: &Scope,
        partials: &mut TensorExpand<A>,
        width: usize,
        place: &PlaceExpand,
        count: usize,
        visit: impl FnMut(&Scope, &mut Sums<A>, ClassExpand, NativeExpand<A>, NativeExpand<A>),
    ) -> Sums<A> {
        if place.rows.phase == Phase::Finish {
            merged_sums::expand::<A>(scope, partials, place, count, width)
        } else {
            let mut sums = self.__expand_sums_method(scope, place, count, visit);
            add_up::expand::<A>(scope, &mut sums, place, count);
            hand_on::expand::<A>(scope, partials, place, &sums, 0, count, width);
            sums
        }
    }

    pub(crate) fn __expand_sum_method<A: Float>(
        &self,
        scope: &Scope,
        place: &PlaceExpand,
        mut term: impl FnMut(&Scope, NativeExpand<A>, NativeExpand<A>) -> NativeExpand<A>,
    ) -> NativeExpand<A> {
        let mut sums = self.__expand_sums_method(scope, place, 1, |scope, sums, _, x, y| {
            let term = term(scope, x, y);
            add_first::expand::<A>(scope, sums, term);
        });
        add_up::expand::<A>(scope, &mut sums, place, 1);
        first::expand::<A>(scope, &sums)
    }

    pub(crate) fn __expand_write_method<A: Float>(
        &self,
        scope: &Scope,
        out: &mut TensorExpand<Vector<F, N>>,
        place: &PlaceExpand,
        value: impl FnMut(&Scope, NativeExpand<A>, NativeExpand<A>) -> NativeExpand<A>,
    ) {
        let value = RefCell::new(value);
        let value = |scope: &Scope, x, y| value.borrow_mut()(scope, x, y);
        write_groups::expand::<F, A, N>(scope, self, out, place, &value);
    }
}
