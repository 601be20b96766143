//! Arithmetic between two literals: `1000 // 100.0`, `10 ** -23`, `9007199254740993 / 3`.
//!
//! RustPython 0.6.0, `rustpython-codegen/src/ir.rs`, `float_div_mod`, `eval_const_binop`, `const_folding_safe_power` and
//! `eval_const_complex_binop`: the compiler computes an operation between constants itself, and not always as the running
//! program would. A floor division of floats that comes out even is `0.0`; a negative power of an integer is multiplied out
//! and rounded at every step; the operands of `/` are rounded to floats before they are divided. CPython computes with the same
//! functions at compile time and later.
//!
//! The mend lets the running program compute. In what goes through `compile`, `exec` and `eval` the right operand of such
//! an operation is put into a list and taken out again: `1000 // [100.0][0]`, which the compiler does not see through. The source
//! keeps its lines. Not covered: trees that a program builds with `ast` and compiles, annotations, and the text that
//! `f"{1000 // 100.0=}"` shows of itself, whose value stays wrong.

use std::mem;

use ruff_text_size::Ranged as _;
use rustpython_vm::{
    PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyBytes, PyStr},
    common::wtf8::Wtf8,
    compiler::{
        ast::{
            self, Expr, InterpolatedStringElement, Number, Operator, Pattern,
            visitor::{Visitor, walk_expr},
        },
        parser,
    },
    function::FuncArgs,
};

/// Puts [`hide_constants`] before the three functions that compile text.
pub(super) fn install(vm: &VirtualMachine) -> PyResult<()> {
    for name in ["compile", "exec", "eval"] {
        let original = vm.builtins.get_attr(name, vm)?;
        let function = move |mut args: FuncArgs, vm: &VirtualMachine| -> PyResult {
            let source = match args.args.first_mut() {
                Some(source) => Some(source),
                None => args.kwargs.get_mut(Wtf8::new("source")),
            };
            if let Some(source) = source
                && let Some(rewritten) = rewritten(source, vm)
            {
                *source = rewritten;
            }
            original.call(args, vm)
        };
        super::exchange::replace_function(&vm.builtins, name, function, vm)?;
    }
    Ok(())
}

/// The source to compile instead of `source`, if that is text and has such an operation.
fn rewritten(source: &PyObjectRef, vm: &VirtualMachine) -> Option<PyObjectRef> {
    if let Some(text) = source.downcast_ref::<PyStr>() {
        let bytes = hide_constants(text.to_str()?.as_bytes())?;
        return Some(vm.ctx.new_str(String::from_utf8(bytes).ok()?).into());
    }
    Some(vm.ctx.new_bytes(hide_constants(source.downcast_ref::<PyBytes>()?.as_bytes())?).into())
}

/// The source with the operands hidden, or None if there is nothing to hide.
fn hide_constants(source: &[u8]) -> Option<Vec<u8>> {
    if !may_concern(source) {
        return None;
    }
    // Places are counted in bytes, so another encoding than UTF-8 needs no decoding: all operators are ASCII.
    let ascii = || source.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { 'x' }).collect();
    let text = std::str::from_utf8(source).map_or_else(|_| ascii(), str::to_owned);
    // `eval` takes an expression with blanks before it, which a file may not begin with.
    let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
    let parsed = parser::parse_module(text.get(indent..)?).ok()?;
    let mut finder = Finder::default();
    finder.visit_body(parsed.suite());
    if finder.insertions.is_empty() {
        return None;
    }
    finder.insertions.sort_by_key(|(place, _)| *place);
    let mut rest = source;
    let mut result = Vec::with_capacity(source.len() + 4 * finder.insertions.len());
    for (place, inserted) in finder.insertions {
        let done = source.len() - rest.len();
        let (before, after) = rest.split_at_checked((indent + place).checked_sub(done)?)?;
        result.extend_from_slice(before);
        result.extend_from_slice(inserted.as_bytes());
        rest = after;
    }
    result.extend_from_slice(rest);
    Some(result)
}

/// Whether the source has `/`, `%` or `*` between two possible constants. Most sources do not, and need not be parsed twice.
fn may_concern(source: &[u8]) -> bool {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'(' | b')' | b'+' | b'-' | b'~');
    memchr::memchr3_iter(b'/', b'%', b'*', source).any(|place| {
        let (before, after) = source.split_at(place);
        let operator = |byte: &u8| matches!(byte, b'/' | b'*' | b'%');
        let last = before.iter().rev().find(|byte| !blank(byte) && !operator(byte));
        let next = after.iter().find(|byte| !blank(byte) && !operator(byte));
        // A comment may stand between an operator and its operand.
        last.is_some_and(|last| last.is_ascii_alphanumeric() || matches!(last, b'.' | b']' | b'_'))
            && next.is_some_and(|next| next.is_ascii_digit() || matches!(next, b'.' | b'T' | b'F' | b'#' | b'n'))
    })
}

/// The parts of an expression.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Constants, and the numbers among them are integers.
    #[default]
    Whole,
    /// Constants with a float, or what gives one.
    Real,
    /// Constants with a complex number.
    Complex,
    /// A part whose value the compiler does not know.
    Unknown,
}

/// Looks for the operations.
#[derive(Default)]
struct Finder {
    /// Byte offset and the text to insert there.
    insertions: Vec<(usize, &'static str)>,
    /// The parts of the current expression so far.
    met: Kind,
}

impl Finder {
    fn kind_of(&mut self, expression: &Expr) -> Kind {
        let outside = mem::take(&mut self.met);
        self.visit_expr(expression);
        mem::replace(&mut self.met, outside)
    }

    fn operation(&mut self, operation: &ast::ExprBinOp) {
        let kind = self.kind_of(&operation.left).max(self.kind_of(&operation.right));
        let whole_power = matches!(&*operation.right, Expr::NumberLiteral(_)) && kind == Kind::Whole;
        let concerned = match operation.op {
            Operator::Div => true,
            Operator::Pow => !whole_power,
            Operator::FloorDiv | Operator::Mod => kind != Kind::Whole,
            Operator::Mult => kind == Kind::Complex,
            _ => false,
        };
        if concerned && kind != Kind::Unknown {
            let range = operation.right.range();
            self.insertions.push((range.start().to_usize(), "["));
            self.insertions.push((range.end().to_usize(), "][0]"));
        }
        let result = if matches!(operation.op, Operator::Div | Operator::Pow) { Kind::Real } else { Kind::Whole };
        self.met = self.met.max(kind).max(result);
    }
}

impl<'a> Visitor<'a> for Finder {
    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::BinOp(operation) => self.operation(operation),
            Expr::NumberLiteral(number) => {
                self.met = self.met.max(match number.value {
                    Number::Int(_) => Kind::Whole,
                    Number::Float(_) => Kind::Real,
                    Number::Complex { .. } => Kind::Complex,
                });
            }
            Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::StringLiteral(_)
            | Expr::BytesLiteral(_) => {}
            Expr::UnaryOp(_) | Expr::BoolOp(_) | Expr::If(_) | Expr::Tuple(_) | Expr::Subscript(_) | Expr::Slice(_) => {
                walk_expr(self, expression)
            }
            _ => {
                walk_expr(self, expression);
                self.met = Kind::Unknown;
            }
        }
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        // With `=` the source is part of the text.
        if !matches!(element, InterpolatedStringElement::Interpolation(shown) if shown.debug_text.is_some()) {
            ast::visitor::walk_interpolated_string_element(self, element);
        }
    }

    fn visit_annotation(&mut self, _annotation: &'a Expr) {}

    fn visit_pattern(&mut self, _pattern: &'a Pattern) {}
}
