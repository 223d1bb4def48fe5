//! The launches of a call.
//!
//! Every kernel keeps one promise, which makes its unchecked launch sound: it reads rows through the views and writes results through
//! the places that it is given, a unit beyond the last row reads row 0 and writes nothing, a class that it looks up is one of the row, and
//! what it reads of a result or of what chunks hand on was written before.

use burn_backend::Shape;
use burn_cubecl::{
    cubecl::{
        client::Client,
        ir::AddressType,
        prelude::{CubeCount, CubeDim, TensorArg},
        server::CubeCountSelection,
    },
    tensor::CubeTensor,
};

use super::{
    call::Call,
    layout::{Layout, Need},
    plan::{Chunks, Phase, Plan},
    row::RowsLaunch,
    view::{View, WIDEST_VECTOR},
};

/// How a call's kernel walks through its rows.
pub(crate) struct Walk<'a> {
    call: &'a Call,
    vector: usize,
    groups: usize,
    contiguous: bool,
}

/// How a row is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Cut into parts where rows are long and few: two launches.
    Parts,
    /// The same in the first of the two launches only.
    PartsOnce,
    /// Cut into parts that need nothing of each other.
    Pieces,
    /// Walked through as a whole, once or several times.
    Repetitions,
}

/// A launch, or two, of a call's kernel.
pub(crate) struct Launch<'a> {
    walk: Walk<'a>,
    plan: Plan,
    cut: Cut,
    /// Numbers that a part hands on.
    width: usize,
}

/// The launch of a kernel: everything beside its tensors and numbers.
pub(crate) struct At<'a> {
    pub(crate) client: &'a Client,
    pub(crate) addresses: AddressType,
    /// Classes in one load.
    pub(crate) vector: usize,
    pub(crate) phase: Phase,
    launch: &'a Launch<'a>,
    partials: Option<&'a CubeTensor>,
    layout: Layout,
    chunks: Chunks,
}

impl Call {
    /// A walk through `views` side by side, in the widest vectors that all of them have.
    pub(crate) fn walk(&self, views: &[&View]) -> Walk<'_> {
        let vector = match self.features {
            1 => self.vector(views),
            _ => 1,
        };
        self.walk_in(vector, self.classes / vector, views[0])
    }

    /// A walk through a view number by number.
    pub(crate) fn walk_singly(&self, view: &View) -> Walk<'_> {
        self.walk_in(1, self.classes, view)
    }

    /// A walk through `views` in `blocks` blocks of noise. One is one vector where the rows of all views are whole blocks in memory, as
    /// those of whole blocks of classes are; else it is read class by class. A row of whole blocks begins with a whole block of noise.
    pub(crate) fn walk_blocks(&self, views: &[&View], block: usize, blocks: usize) -> Walk<'_> {
        let vector = match self.vector(views) {
            vector if vector == block => block,
            _ => 1,
        };
        self.walk_in(vector, blocks, views[0])
    }

    fn walk_in(&self, vector: usize, groups: usize, view: &View) -> Walk<'_> {
        Walk {
            call: self,
            vector,
            groups,
            contiguous: view.classes_contiguous(),
        }
    }

    /// Classes in one load: the widest vector of the device that divides the rows of all `views` and of contiguous results.
    fn vector(&self, views: &[&View]) -> usize {
        let widest = self.client.properties().hardware.max_vector_size;
        let fits = |vector: usize| {
            vector <= widest
                && self.inner == 1
                && self.classes.is_multiple_of(vector)
                && views.iter().all(|view| view.has_vectors(vector))
        };
        [WIDEST_VECTOR, 2]
            .into_iter()
            .find(|&vector| fits(vector))
            .unwrap_or(1)
    }
}

impl<'a> Walk<'a> {
    /// Bytes of shared memory of a unit.
    fn bytes(&self, need: Need) -> usize {
        need.numbers * self.call.stats.size() + need.indices * size_of::<u32>()
    }

    fn parts(self, cut: Cut, width: usize, need: Need) -> Launch<'a> {
        let (client, rows, bytes) = (&self.call.client, self.call.count(), self.bytes(need));
        Launch {
            plan: Plan::split(
                client,
                rows,
                self.groups,
                self.contiguous,
                bytes,
                need.walks,
            ),
            cut,
            width,
            walk: self,
        }
    }

    /// Long rows are cut into parts where they are few; each part hands on `width` numbers.
    pub(crate) fn split(self, width: usize, need: Need) -> Launch<'a> {
        self.parts(Cut::Parts, width, need)
    }

    /// The same for a kernel that has few results for each row: rows are cut in the first of two launches only.
    pub(crate) fn split_once(self, width: usize, need: Need) -> Launch<'a> {
        self.parts(Cut::PartsOnce, width, need)
    }

    /// Rows are not cut.
    pub(crate) fn whole(self, need: Need) -> Launch<'a> {
        let span = self.groups;
        self.repeated(1, span, need)
    }

    /// Rows are walked through `repetitions` times side by side, each time for `span` results.
    pub(crate) fn repeated(self, repetitions: usize, span: usize, need: Need) -> Launch<'a> {
        let (client, bytes) = (&self.call.client, self.bytes(need));
        let items = self.call.count() * repetitions;
        let plan = Plan {
            layout: Layout::choose(
                client,
                items,
                self.groups,
                self.contiguous,
                bytes,
                need.walks,
            ),
            chunks: repetitions,
            span,
        };
        Launch {
            plan,
            cut: Cut::Repetitions,
            width: 0,
            walk: self,
        }
    }

    /// No unit waits for another, so that all rows are cut; `walks` loop iterations for each group.
    pub(crate) fn independent(self, walks: usize) -> Launch<'a> {
        let (client, rows) = (&self.call.client, self.call.count());
        Launch {
            plan: Plan::independent(client, rows, self.groups, self.contiguous, walks),
            cut: Cut::Pieces,
            width: 0,
            walk: self,
        }
    }
}

impl Launch<'_> {
    /// Passes through a row, of at most `most`, that a kernel may make which walks through it `walks` times besides.
    pub(crate) fn passes(&self, most: usize, walks: usize) -> u32 {
        self.plan.passes(&self.walk.call.client, most, walks) as u32
    }

    /// Launches a kernel, once for each phase. Nothing happens where there are no rows or no results.
    ///
    /// # Panics
    /// If rows have no classes.
    pub(crate) fn run(&self, launch: impl Fn(&At<'_>)) {
        let call = self.walk.call;
        if call.is_empty() {
            return;
        }
        call.check_classes();
        let client = &call.client;
        let phases = self.phases();
        let partials = (phases.len() > 1).then(|| self.partials());
        let reached = partials.iter().map(CubeTensor::required_address_type);
        let addresses = reached.fold(call.addresses, Ord::max);
        for &phase in phases {
            let (layout, chunks) = match (self.cut, phase) {
                (Cut::PartsOnce, Phase::Finish) => {
                    (Layout::combine(client, call.results), Chunks::Combined)
                }
                (Cut::Repetitions, _) => (self.plan.layout, Chunks::Repetitions),
                _ => (self.plan.layout, Chunks::Parts),
            };
            launch(&At {
                client,
                addresses,
                vector: self.walk.vector,
                phase,
                launch: self,
                partials: partials.as_ref(),
                layout,
                chunks,
            });
        }
    }

    fn phases(&self) -> &'static [Phase] {
        match self.cut {
            Cut::Parts | Cut::PartsOnce if self.plan.chunks > 1 => &[Phase::Partial, Phase::Finish],
            _ => &[Phase::Whole],
        }
    }

    /// The tensor between two launches.
    fn partials(&self) -> CubeTensor {
        let call = self.walk.call;
        let numbers = call.count() * self.plan.chunks * self.width;
        call.empty(Shape::from([numbers]), call.stats)
    }
}

impl At<'_> {
    /// At least as many cubes as cover the rows, spread over the axes as the device's limits demand.
    pub(crate) fn cubes(&self) -> CubeCount {
        let call = self.launch.walk.call;
        let chunks = match self.chunks {
            Chunks::Combined => 1,
            Chunks::Parts | Chunks::Repetitions => self.launch.plan.chunks,
        };
        let cubes = (call.count() * chunks).div_ceil(self.layout.rows);
        let cubes = u32::try_from(cubes).unwrap_or_else(|_| {
            panic!("{}: logits must fit into 2^32 cubes, got {cubes}", call.op)
        });
        CubeCountSelection::new(self.client, cubes).cube_count()
    }

    /// The units of a cube.
    pub(crate) fn cube_dim(&self) -> CubeDim {
        self.layout.cube_dim()
    }

    /// The sizes of the rows as a kernel argument.
    pub(crate) fn rows(&self) -> RowsLaunch {
        let (walk, plan) = (&self.launch.walk, &self.launch.plan);
        let terms = plan.span.div_ceil(plan.layout.lanes);
        RowsLaunch::new(
            walk.call.count(),
            walk.call.classes,
            walk.groups,
            walk.call.inner,
            walk.call.results,
            plan.chunks,
            plan.span,
            plan.layout.lanes * (1 + terms.isqrt()),
            self.chunks,
            self.phase,
            self.layout,
        )
    }

    /// The tensor between two launches as a kernel argument, one number that nobody reads where there is one launch.
    pub(crate) fn partials(&self) -> TensorArg {
        let call = self.launch.walk.call;
        match self.partials {
            Some(partials) => arg(partials),
            None => arg(&call.empty(Shape::from([1]), call.stats)),
        }
    }
}

/// A contiguous tensor as a kernel argument.
pub(crate) fn arg(tensor: &CubeTensor) -> TensorArg {
    tensor.clone().into_tensor_arg()
}

/// Launches a kernel in all phases. Its arguments are, of what it has, in this order: views read in vectors, and by number; others that are
/// given; results; the tensor between two launches; the rows; what follows the semicolon.
macro_rules! launch {
    (
        $kernel:ident, $launches:expr, |$at:ident|
        $(vectors [$($vectors:expr),*])? $(singles [$($singles:expr),*])? $(given [$($given:expr),*])?
        results [$($results:expr),*] $($partials:ident)?;
        $($more:expr),+
    ) => {
        $launches.run(|$at| {
            // SAFETY: the strides of the views stay inside their tensors, results and partials are contiguous and of the sizes that the rows
            // tell, and the kernel keeps the promise of this file.
            unsafe {
                $kernel::launch_unchecked(
                    $at.client,
                    $at.cubes(),
                    $at.cube_dim(),
                    $at.addresses,
                    $($at.vector, $($vectors.grid($at.vector),)*)?
                    $($($singles.singles(),)*)?
                    $($($given,)*)?
                    $($crate::parts::launch::arg(&$results),)*
                    $($at.$partials(),)?
                    $at.rows(),
                    $($more),+
                )
            }
        })
    };
}
pub(crate) use launch;
