//! Tokens.

use text_size::{TextRange, TextSize};

/// A token: its kind and its bytes in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Which.
    pub kind: TokenKind,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

impl Token {
    /// The bytes of the token.
    pub fn range(self) -> TextRange {
        TextRange::new(TextSize::new(self.start), TextSize::new(self.end))
    }
}

macro_rules! tokens {
    (
        classes { $($class:ident $class_name:literal)* }
        symbols { $($symbol:ident $symbol_text:literal)* }
        keywords { $($keyword:ident $keyword_text:literal)* }
    ) => {
        /// The kinds of tokens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum TokenKind { $($class,)* $($symbol,)* $($keyword,)* }

        impl TokenKind {
            /// The text of a symbol or keyword, or the name of a class of tokens.
            pub fn text(self) -> &'static str {
                match self {
                    $(TokenKind::$class => $class_name,)*
                    $(TokenKind::$symbol => $symbol_text,)*
                    $(TokenKind::$keyword => $keyword_text,)*
                }
            }
        }

        const KEYWORDS: &[(&str, TokenKind)] = &[$(($keyword_text, TokenKind::$keyword),)*];
    };
}

tokens! {
    classes {
        Eof "end of file"
        // Something the lexer has reported already.
        Error "error"
        Ident "identifier"
        Int "integer"
        Float "float"
        Char "character"
        // Without a backslash or brace.
        PlainStr "string"
        Str "string"
        RawStr "raw string"
        // `./a/b` after `import` or `from`.
        FilePath "file path"
        // The `/*` after a file path.
        SlashStar "/*"
    }
    symbols {
        Plus "+" Minus "-" Star "*" Slash "/" Percent "%" PlusPlus "++" MinusMinus "--"
        Assign "=" PlusAssign "+=" MinusAssign "-=" StarAssign "*=" SlashAssign "/=" PercentAssign "%="
        AmpAssign "&=" PipeAssign "|=" CaretAssign "^=" ShlAssign "<<=" ShrAssign ">>="
        EqEq "==" NotEq "!=" Lt "<" Gt ">" Le "<=" Ge ">=" AndAnd "&&" OrOr "||" Bang "!"
        Amp "&" Pipe "|" Caret "^" Tilde "~" Shl "<<" Shr ">>"
        Question "?" Colon ":" ColonColon "::" Arrow "->" FatArrow "=>" Dot "." Ellipsis "..."
        Comma "," Semi ";" LParen "("
        // A `(` whose `)` is directly followed by `=>`.
        LParenArrow "("
        RParen ")" LBrace "{" RBrace "}" LBracket "[" RBracket "]" At "@" Hash "#"
    }
    keywords {
        As "as" Async "async" Auto "auto" Await "await" Break "break" Case "case" Const "const"
        Constexpr "constexpr" Continue "continue" Default "default" Defer "defer" Else "else"
        Enum "enum" Export "export" Extern "extern" False "false" For "for" From "from" If "if"
        Impl "impl" Import "import" In "in" Inline "inline" Interface "interface" Macro "macro"
        Match "match" Module "module" Move "move" Must "must" Mutable "mutable"
        Namespace "namespace" Null "null" Operator "operator" Overload "overload"
        Private "private" Pub "pub" Return "return" SelfKw "self" Sizeof "sizeof" Static "static"
        Struct "struct" Switch "switch" Template "template" True "true" Typedef "typedef"
        Typename "typename" Typeof "typeof" Use "use" Volatile "volatile" Where "where"
        While "while" With "with"
        SizeofUnder "__sizeof__" TypeofUnder "__typeof__" TypenameUnder "__typename__"
        AlignofUnder "__alignof__"
        Void "void" Bool "bool" CharKw "char" StringKw "string" Cstring "cstring" Tiny "tiny"
        Short "short" IntKw "int" Long "long" Utiny "utiny" Ushort "ushort" Uint "uint"
        Ulong "ulong" Isize "isize" Usize "usize" FloatKw "float" Double "double" Ufloat "ufloat"
        Udouble "udouble"
    }
}

impl TokenKind {
    /// Whether it is a reserved word.
    pub fn is_keyword(self) -> bool {
        self >= TokenKind::As
    }
    /// Whether it names a primitive type.
    pub fn is_primitive(self) -> bool {
        self >= TokenKind::Void
    }
    /// Whether it is `(`.
    pub fn is_lparen(self) -> bool {
        matches!(self, TokenKind::LParen | TokenKind::LParenArrow)
    }
    /// Whether it is a string literal.
    pub fn is_string(self) -> bool {
        matches!(self, TokenKind::PlainStr | TokenKind::Str | TokenKind::RawStr)
    }
}

/// The slot of a word in [`TABLE`], where look-up starts.
const fn slot(word: &[u8]) -> usize {
    let last = word[word.len() - 1] as usize;
    let middle = word[word.len() / 2] as usize;
    (word[0] as usize * 5 + middle * 37 + last * 3 + word.len() * 101) % TABLE_SIZE
}

const TABLE_SIZE: usize = 512;

/// Open addressing over [`KEYWORDS`]; 0 is free, `n` stands for keyword `n - 1`.
static TABLE: [u8; TABLE_SIZE] = {
    let mut table = [0; TABLE_SIZE];
    let mut n = 0;
    while n < KEYWORDS.len() {
        let mut at = slot(KEYWORDS[n].0.as_bytes());
        while table[at] != 0 {
            at = (at + 1) % TABLE_SIZE;
        }
        table[at] = n as u8 + 1;
        n += 1;
    }
    table
};

/// The keyword that a word is, else [`TokenKind::Ident`].
pub fn keyword(word: &[u8]) -> TokenKind {
    let mut at = slot(word);
    while let Some(n) = TABLE[at].checked_sub(1) {
        let (text, kind) = KEYWORDS[n as usize];
        if text.as_bytes() == word {
            return kind;
        }
        at = (at + 1) % TABLE_SIZE;
    }
    TokenKind::Ident
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_and_nothing_else() {
        for (text, kind) in KEYWORDS {
            assert_eq!(keyword(text.as_bytes()), *kind);
        }
        for word in ["Int", "selfish", "x", "_", "this", "println", "__asm__"] {
            assert_eq!(keyword(word.as_bytes()), TokenKind::Ident);
        }
        assert_eq!(size_of::<Token>(), 12);
    }
}
