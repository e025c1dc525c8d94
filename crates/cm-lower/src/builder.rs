//! Building one MIR function block by block.

use cm_base::{Name, Scratch, list::take_from, scratch};
use cm_mir::{
    mir::{
        BinOp, Block, BlockId, Callee, ConstValue, CountOp, Decl, Function, Local, LocalId,
        Operand, Place, Projection, Rvalue, Stmt, Terminator, UnOp,
    },
    runtime::Rt,
    ty::{Ty, TyKind, slice_header},
};

/// The integer type of lengths and indices.
pub(crate) fn word() -> Ty {
    TyKind::unsigned(64)
}
pub(crate) fn boolean() -> Ty {
    TyKind::Bool.intern()
}
pub(crate) fn pointer() -> Ty {
    TyKind::Ptr.intern()
}
pub(crate) fn string() -> Ty {
    TyKind::Str.intern()
}
/// A constant of a 64-bit unsigned type.
pub(crate) fn number(n: u64) -> Operand {
    Operand::constant(word(), ConstValue::Int(n))
}
/// A constant of a 64-bit signed type.
pub(crate) fn signed(n: i64) -> Operand {
    Operand::constant(TyKind::signed(64), ConstValue::Int(n as u64))
}
/// A truth value.
pub(crate) fn truth(value: bool) -> Operand {
    Operand::constant(boolean(), ConstValue::Int(u64::from(value)))
}
/// A string constant.
pub(crate) fn text(text: &str) -> Operand {
    Operand::constant(string(), ConstValue::Str(Name::new(text)))
}

/// How many lists of statements a thread keeps.
const SPARES: usize = 64;

thread_local! {
    /// Empty lists of statements, kept for their memory: functions are built in them, and what is left
    /// at the end is put where it has just the room that it needs.
    static SPARE: Scratch<Vec<Vec<Stmt>>> = const { scratch(Vec::new()) };
}

struct Draft {
    stmts: Vec<Stmt>,
    terminator: Option<Terminator>,
}

impl Draft {
    fn new() -> Draft {
        let stmts = SPARE.with_borrow_mut(|spare| spare.pop()).unwrap_or_default();
        Draft { stmts, terminator: None }
    }
}

/// A function under construction. Statements go to the current block; those after its end are
/// dropped, because nothing reaches them.
pub(crate) struct Builder {
    locals: Vec<Local>,
    blocks: Vec<Draft>,
    current: BlockId,
    panics: Vec<(&'static str, BlockId)>,
    /// Assignments are volatile.
    pub(crate) volatile: bool,
}

impl Builder {
    /// A function with this result type and an empty entry block.
    pub(crate) fn new(ret: Ty) -> Builder {
        let (mut locals, mut blocks) = (Vec::with_capacity(32), Vec::with_capacity(16));
        locals.push(Local { ty: ret, name: None });
        blocks.push(Draft::new());
        Builder { locals, blocks, current: BlockId(0), panics: Vec::new(), volatile: false }
    }

    /// A new local with a name.
    pub(crate) fn variable(&mut self, ty: Ty, name: Name) -> LocalId {
        self.locals.push(Local { ty, name: Some(name) });
        LocalId(self.locals.len() as u32 - 1)
    }

    /// A new temporary. Temporaries are written before they are read, and then no more.
    pub(crate) fn temp(&mut self, ty: Ty) -> LocalId {
        self.locals.push(Local { ty, name: None });
        LocalId(self.locals.len() as u32 - 1)
    }

    /// Nothing that runs between now and the use of the operand changes its value.
    pub(crate) fn is_stable(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Const(_) => true,
            Operand::Copy(place) => match place.base {
                cm_mir::mir::Base::Local(local) => {
                    place.projections.is_empty() && self.locals[local.0 as usize].name.is_none()
                }
                cm_mir::mir::Base::Global(_) => false,
            },
        }
    }

    /// A new empty block.
    pub(crate) fn block(&mut self) -> BlockId {
        self.blocks.push(Draft::new());
        BlockId(self.blocks.len() as u32 - 1)
    }

    /// Goes on in `block`.
    pub(crate) fn at(&mut self, block: BlockId) {
        self.current = block;
    }

    fn draft(&mut self) -> &mut Draft {
        &mut self.blocks[self.current.0 as usize]
    }

    /// Adds a statement.
    pub(crate) fn push(&mut self, stmt: Stmt) {
        let draft = self.draft();
        if draft.terminator.is_none() {
            draft.stmts.push(stmt);
        }
    }

    /// Ends the current block.
    pub(crate) fn end(&mut self, terminator: Terminator) {
        self.draft().terminator.get_or_insert(terminator);
    }

    /// The current block has ended.
    pub(crate) fn ended(&mut self) -> bool {
        self.draft().terminator.is_some()
    }

    /// Ends the current block with a jump.
    pub(crate) fn goto(&mut self, block: BlockId) {
        self.end(Terminator::Goto(block));
    }

    /// Ends the current block with a branch.
    pub(crate) fn branch(&mut self, cond: Operand, then: BlockId, otherwise: BlockId) {
        self.end(Terminator::Branch { cond, then, otherwise });
    }

    /// `place = value`.
    pub(crate) fn assign(&mut self, place: impl Into<Place>, value: Rvalue) {
        let volatile = self.volatile;
        self.push(Stmt::Assign { place: place.into(), value, volatile });
    }

    /// `place = operand`.
    pub(crate) fn store(&mut self, place: impl Into<Place>, value: Operand) {
        self.assign(place, Rvalue::Use(value));
    }

    /// A temporary that holds the value.
    pub(crate) fn compute(&mut self, ty: Ty, value: Rvalue) -> Operand {
        let temp = self.temp(ty);
        self.assign(temp, value);
        Operand::copy(temp)
    }

    /// The same value, stable.
    pub(crate) fn stable(&mut self, operand: Operand, ty: Ty) -> Operand {
        if self.is_stable(&operand) {
            return operand;
        }
        let temp = self.temp(ty);
        self.store(temp, operand);
        Operand::copy(temp)
    }

    /// The operand as a place that can be projected.
    pub(crate) fn place_of(&mut self, operand: Operand, ty: Ty) -> Place {
        match operand {
            Operand::Copy(place) => place,
            operand => {
                let temp = self.temp(ty);
                self.store(temp, operand);
                temp.into()
            }
        }
    }

    /// Reads what a pointer-like operand points to.
    pub(crate) fn deref(&mut self, pointer_like: Operand, ty: Ty) -> Place {
        self.place_of(pointer_like, pointer()).project(Projection::Deref(ty))
    }

    /// A binary operation on two operands of type `ty`.
    pub(crate) fn binary(&mut self, op: BinOp, ty: Ty, left: Operand, right: Operand) -> Operand {
        use BinOp::{Eq, Ge, Gt, Le, Lt, Ne};
        let result = if matches!(op, Eq | Ne | Lt | Le | Gt | Ge) { boolean() } else { ty };
        self.compute(result, Rvalue::Binary(op, left, right))
    }

    /// Logical not.
    pub(crate) fn not(&mut self, operand: Operand) -> Operand {
        self.compute(boolean(), Rvalue::Unary(UnOp::Not, operand))
    }

    /// A conversion.
    pub(crate) fn cast(&mut self, operand: Operand, from: Ty, to: Ty) -> Operand {
        if from == to {
            return operand;
        }
        self.compute(to, Rvalue::Cast(operand, to))
    }

    /// The address of a place.
    pub(crate) fn address(&mut self, mut place: Place) -> Operand {
        if let Some(Projection::Deref(_)) = place.projections.last() {
            place.projections.pop();
            // The pointer itself, whatever its role is.
            return Operand::copy(place);
        }
        self.compute(pointer(), Rvalue::AddrOf(place))
    }

    /// Calls a function of the run-time library.
    pub(crate) fn runtime(&mut self, rt: Rt, args: Vec<Operand>) -> Operand {
        let callee = Callee::Runtime(rt);
        if matches!(rt.ret().get(), TyKind::Void) {
            self.push(Stmt::Call { dest: None, callee, args });
            return truth(false);
        }
        let temp = self.temp(rt.ret());
        self.push(Stmt::Call { dest: Some(temp.into()), callee, args });
        Operand::copy(temp)
    }

    /// Calls a function; the result goes to `dest` if there is one.
    pub(crate) fn call(&mut self, decl: Decl, args: Vec<Operand>, dest: Option<Place>) {
        self.push(Stmt::Call { dest, callee: Callee::Function(decl), args });
    }

    /// Counts the references in a place.
    pub(crate) fn count(&mut self, op: CountOp, place: Place) {
        self.push(Stmt::Count { op, place });
    }

    /// The block that panics with `message`.
    pub(crate) fn panic_block(&mut self, message: &'static str) -> BlockId {
        if let Some((_, block)) = self.panics.iter().find(|(known, _)| *known == message) {
            return *block;
        }
        let block = self.block();
        self.blocks[block.0 as usize].terminator = Some(Terminator::Panic(text(message)));
        self.panics.push((message, block));
        block
    }

    /// Goes on only if `cond` holds.
    pub(crate) fn check(&mut self, cond: Operand, message: &'static str) {
        let panic = self.panic_block(message);
        let good = self.block();
        self.branch(cond, good, panic);
        self.at(good);
    }

    /// A field of the header of a slice that is not null: 0 data, 1 length, 2 capacity.
    pub(crate) fn slice_field(&mut self, slice: Operand, field: u32) -> Place {
        let slice = self.place_of(slice, TyKind::Slice.intern());
        slice.project(Projection::Deref(slice_header())).project(Projection::Field(field))
    }

    /// The length of a slice or string, which may be null.
    pub(crate) fn len(&mut self, list: Operand) -> Operand {
        self.compute(word(), Rvalue::Unary(UnOp::Len, list))
    }

    /// The capacity of a slice, which may be null. `slice` is stable.
    pub(crate) fn capacity(&mut self, slice: Operand) -> Operand {
        let count = self.temp(word());
        let (null, good, after) = (self.block(), self.block(), self.block());
        let is_null = self.is_null(slice.clone(), TyKind::Slice.intern());
        self.branch(is_null, null, good);
        self.at(null);
        self.store(count, number(0));
        self.goto(after);
        self.at(good);
        let place = self.slice_field(slice, 2);
        self.store(count, Operand::copy(place));
        self.goto(after);
        self.at(after);
        Operand::copy(count)
    }

    /// The operand of a pointer-like type is null.
    pub(crate) fn is_null(&mut self, operand: Operand, ty: Ty) -> Operand {
        let null = Operand::constant(ty, ConstValue::Zero);
        self.binary(BinOp::Eq, ty, operand, null)
    }

    /// A loop over `0..count`: runs `body` with the index, a `word`.
    pub(crate) fn count_up(&mut self, count: Operand, body: impl FnOnce(&mut Builder, Operand)) {
        let index = self.variable(word(), Name::new(""));
        self.store(index, number(0));
        let (head, inside, after) = (self.block(), self.block(), self.block());
        self.goto(head);
        self.at(head);
        let more = self.binary(BinOp::Lt, word(), Operand::copy(index), count);
        self.branch(more, inside, after);
        self.at(inside);
        let current = self.compute(word(), Rvalue::Use(Operand::copy(index)));
        body(self, current);
        self.assign(index, Rvalue::Binary(BinOp::Add, Operand::copy(index), number(1)));
        self.goto(head);
        self.at(after);
    }

    /// The finished function.
    pub(crate) fn finish(mut self, decl: Decl, env: Option<LocalId>) -> Function {
        self.end(Terminator::Return);
        let block = |draft: Draft| Block {
            stmts: draft.stmts,
            // Only blocks that nothing reaches are left open.
            terminator: draft.terminator.unwrap_or(Terminator::Unreachable),
        };
        let blocks = self.blocks.into_iter().map(block).collect();
        let mut function = Function { decl, env, locals: self.locals, blocks };
        let more = cm_mir::passes::clean_up(&mut function);
        // What it leaves unused is removed below: a function with strings has references to count.
        cm_mir::passes::join_strings(&mut function);
        if cm_mir::passes::count_references(&mut function) || more {
            cm_mir::passes::clean_up(&mut function);
        }
        shrink(&mut function);
        function
    }
}

/// Gives the parts of a function just the memory that they need, and keeps what they were built in.
fn shrink(function: &mut Function) {
    SPARE.with_borrow_mut(|spare| {
        // The entry, which is the largest as a rule, will be the entry again.
        for block in function.blocks.iter_mut().rev() {
            let stmts = take_from(&mut block.stmts, 0);
            let list = std::mem::replace(&mut block.stmts, stmts);
            if spare.len() < SPARES {
                spare.push(list);
            }
        }
    });
    function.blocks.shrink_to_fit();
    function.locals.shrink_to_fit();
}

/// The bits of a constant integer or truth value.
pub(crate) fn constant_int(operand: &Operand) -> Option<u64> {
    match operand {
        Operand::Const(constant) => match constant.value {
            ConstValue::Int(value) => Some(value),
            ConstValue::Zero => Some(0),
            _ => None,
        },
        Operand::Copy(_) => None,
    }
}
