//! A generated program, the same in every language: modules of functions that compute, loop and call
//! one another. The same options give the same program, and it always terminates soon.

/// The program.
#[derive(Clone)]
pub(super) struct Program {
    pub(super) modules: Vec<Module>,
}

/// A source file. Module `n` may call modules below `n`.
#[derive(Clone)]
pub(super) struct Module {
    pub(super) functions: Vec<Function>,
}

/// `int fM_N(int a, int b) { int x = a; …; return x; }`, where all values are at least 0 and less
/// than [`MODULUS`].
#[derive(Clone)]
pub(super) struct Function {
    pub(super) body: Vec<Statement>,
    /// A comment before the first statement.
    pub(super) comment: Option<String>,
    /// A third parameter, `c`, which is added to the result.
    pub(super) third_parameter: bool,
}

/// Values stay below this, so that no language overflows.
pub(super) const MODULUS: u32 = 9973;

/// Changes `x`. Each number is less than 100.
#[derive(Clone)]
pub(super) enum Statement {
    /// `x = (x * k + l) % MODULUS;`
    Linear(u32, u32),
    /// `for (int i = 0; i < k; i++) { x = (x + i * b + l) % MODULUS; }`
    Loop(u32, u32),
    /// `if (x > k) { x = x - k; } else { x = x + l; }`
    Branch(u32, u32),
    /// `int yN = (x + b * k) % MODULUS; x = (x + yN) % MODULUS;`
    Local(u32),
    /// `x = (x + f(x, k)) % MODULUS;`
    Call(Callee, u32),
}

impl Statement {
    /// How many lines of the program it becomes.
    fn lines(&self) -> usize {
        match self {
            Statement::Linear(..) | Statement::Call(..) => 1,
            Statement::Local(_) => 2,
            Statement::Loop(..) => 3,
            Statement::Branch(..) => 5,
        }
    }
}

/// A function by its numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Callee {
    pub(super) module: usize,
    pub(super) function: usize,
}

/// Calls go from a function to the one before in its group, so that no chain of calls is longer.
const GROUP: usize = 4;

impl Program {
    /// `modules` modules of `functions` functions of about `lines` lines.
    pub(super) fn generate(modules: usize, functions: usize, lines: usize) -> Program {
        let function = |module, function| Function {
            body: body(Callee { module, function }, functions, lines),
            comment: None,
            third_parameter: false,
        };
        let module = |m| Module { functions: (0..functions).map(|f| function(m, f)).collect() };
        Program { modules: (0..modules).map(module).collect() }
    }

    /// Makes it another program of the same size: no function is as it was.
    pub(super) fn vary(&mut self, number: usize) {
        let functions = self.modules.iter_mut().flat_map(|module| &mut module.functions);
        functions.for_each(|f| f.body.push(Statement::Linear(1, number as u32 % 100)));
    }

    /// The function that is called.
    pub(super) fn function(&self, callee: Callee) -> &Function {
        &self.modules[callee.module].functions[callee.function]
    }

    /// The functions that `main` calls: the last of every group, so that all functions are used.
    pub(super) fn called_by_main(&self) -> Vec<Callee> {
        let last =
            |count| move |function: &usize| function % GROUP == GROUP - 1 || function + 1 == count;
        let groups = |(module, m): (usize, &Module)| {
            let count = m.functions.len();
            (0..count).filter(last(count)).map(move |function| Callee { module, function })
        };
        self.modules.iter().enumerate().flat_map(groups).collect()
    }

    /// Applies an edit to a function in the middle. Repeated edits differ by `round`.
    pub(super) fn edit(&mut self, edit: Edit, round: usize) {
        let middle = self.modules.len() / 2;
        let function = &mut self.modules[middle].functions[0];
        match edit {
            Edit::Comment => function.comment = Some(format!("Round {round}.")),
            Edit::Body => function.body.push(Statement::Linear(7, round as u32 % 100)),
            Edit::Signature => function.third_parameter = !function.third_parameter,
        }
    }
}

/// What is changed between two builds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edit {
    /// A comment inside a function.
    Comment,
    /// A statement.
    Body,
    /// One parameter more, or one fewer, and accordingly in the calls.
    Signature,
}

fn body(this: Callee, functions: usize, lines: usize) -> Vec<Statement> {
    let mut random = Random::new(this.module * functions + this.function);
    let mut body: Vec<Statement> =
        calls(this).map(|c| Statement::Call(c, random.small())).collect();
    // The header, `int x = a;`, `return x;` and the brace at the end.
    let mut left = lines.saturating_sub(4 + body.len());
    while left > 0 {
        let (k, l) = (1 + random.small(), random.small());
        let statement = match random.small() % 4 {
            0 => Statement::Loop(k, l),
            1 => Statement::Branch(k, l),
            2 => Statement::Local(k),
            _ => Statement::Linear(k, l),
        };
        if let Some(rest) = left.checked_sub(statement.lines()) {
            left = rest;
            body.push(statement);
        }
    }
    body
}

/// The function before in the group, and, from every second function, the first one of a group in
/// the module before.
fn calls(this: Callee) -> impl Iterator<Item = Callee> {
    let Callee { module, function } = this;
    let near = (function % GROUP > 0).then(|| Callee { module, function: function - 1 });
    let far = (module > 0 && function % 2 == 1)
        .then(|| Callee { module: module - 1, function: function - function % GROUP });
    near.into_iter().chain(far)
}

/// A generator of numbers that look random, by Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn new(seed: usize) -> Random {
        Random(0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9))
    }
    /// Less than 100.
    fn small(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % 99
    }
}
