//! Words of a shell's script, and of GRUB's, which quotes alike: its lexer
//! (`grub-core/script/yylex.l`) differs only in what nobody writes here.

/// What stops a command where no quote or backslash hides it.
const STOPS: &str = "{}|&;<>";

/// Stands for a command whose output is to be put there.
const COMMAND: &str = "$()";

/// How much of a word can be known without running the script.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Known {
    /// All of it.
    #[default]
    Whole,
    /// Nothing: it is variables.
    Variable,
    /// Not what stands in place of a variable or a command.
    Part,
}

/// One word, without its quotes; variables stand as they are, and `$()` for a
/// command's output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ScriptWord {
    pub text: String,
    pub known: Known,
}

/// A script that is read word by word.
pub(crate) struct Script<'a> {
    rest: &'a str,
    /// A quote was not closed.
    pub is_open: bool,
}

impl<'a> Script<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            is_open: false,
        }
    }

    /// The words up to what stops the command, and that: `#` begins a comment.
    pub(crate) fn command(&mut self) -> (Vec<ScriptWord>, Option<Stop>) {
        let mut words = vec![];
        loop {
            let before = self.rest;
            self.rest = before.trim_start_matches([' ', '\t', '\n']);
            let is_apart = self.rest.len() < before.len() || words.is_empty();
            let stop = self.rest.chars().next();
            let stop = stop.filter(|letter| STOPS.contains(*letter) || *letter == '#');
            if let Some(letter) = stop {
                return (words, Some(Stop { letter, is_apart }));
            }
            match self.word() {
                Some(word) => words.push(word),
                None => return (words, None),
            }
        }
    }

    /// The word that begins here; `None` where none does.
    pub(crate) fn word(&mut self) -> Option<ScriptWord> {
        let begin = self.rest;
        let mut word = ScriptWord::default();
        let (mut has_text, mut has_variable, mut has_command) = (false, false, false);
        let mut quote = None;
        while let Some(letter) = self.rest.chars().next() {
            let mut taken = letter.len_utf8();
            let mut kept = taken;
            match (quote, letter) {
                (Some(open), _) if open == letter => {
                    quote = None;
                    kept = 0;
                }
                (None, '\'' | '"') => {
                    quote = Some(letter);
                    kept = 0;
                }
                (None | Some('"'), '\\') => {
                    let next = self.rest[1..].chars().next();
                    let is_escape = |next: &char| quote.is_none() || "$`\"\\\n".contains(*next);
                    if let Some(next) = next.filter(is_escape) {
                        if next != '\n' {
                            word.text.push(next);
                            has_text = true;
                        }
                        taken += next.len_utf8();
                        kept = 0;
                    }
                }
                (None | Some('"'), '$' | '`') => {
                    let length = expansion(self.rest);
                    taken = length.max(1);
                    kept = taken;
                    has_text |= length == 0;
                    has_variable |= length > 0;
                    if length > 0 && (letter == '`' || self.rest[1..].starts_with('(')) {
                        word.text.push_str(COMMAND);
                        kept = 0;
                        has_command = true;
                    }
                }
                (None, ' ' | '\t' | '\n') => break,
                (None, _) if STOPS.contains(letter) => break,
                _ => has_text = true,
            }
            word.text.push_str(&self.rest[..kept]);
            self.rest = &self.rest[taken..];
        }
        self.is_open |= quote.is_some();
        word.known = match (has_variable, has_text || has_command) {
            (false, _) => Known::Whole,
            (true, false) => Known::Variable,
            (true, true) => Known::Part,
        };
        (self.rest.len() < begin.len()).then_some(word)
    }
}

/// What ends a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop {
    pub letter: char,
    /// A blank stands before it.
    pub is_apart: bool,
}

/// The bytes of the variable or command that begins here; 0 where none does.
fn expansion(text: &str) -> usize {
    let end = |close: char| text[1..].find(close).map_or(0, |at| at + 2);
    let mut after = text.chars().skip(1);
    match (text.chars().next(), after.next()) {
        (Some('`'), _) => end('`'),
        (_, Some('{')) => end('}'),
        (_, Some('(')) => {
            let mut depth = 0_usize;
            let close = text.char_indices().find(|(_, letter)| {
                match letter {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => return false,
                }
                depth == 0
            });
            close.map_or(0, |(at, _)| at + 1)
        }
        (_, Some('?' | '#' | '*' | '@')) => 2,
        (_, Some(letter)) if letter.is_ascii_alphanumeric() || letter == '_' => {
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            let name = &text[1..];
            1 + name.find(|c| !is_name(c)).unwrap_or(name.len())
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Option<char>) {
        let (words, stop) = Script::new(text).command();
        let words = words.into_iter().map(|word| word.text).collect();
        (words, stop.map(|stop| stop.letter))
    }

    #[test]
    fn quotes_and_backslashes_go_and_hide_what_stops() {
        for (text, expected) in [
            (r"a 'b c' d", vec!["a", "b c", "d"]),
            (r"202M\<4G '72M<4G' x\;y", vec!["202M<4G", "72M<4G", "x;y"]),
            (r#""a\$b" "c\d" '\'"#, vec!["a$b", r"c\d", r"\"]),
            ("a'b'\"c\" ''", vec!["abc", ""]),
            ("a \\\n b", vec!["a", "", "b"]),
            (r"a\", vec![r"a\"]),
        ] {
            assert_eq!(
                read(text),
                (expected.iter().map(ToString::to_string).collect(), None)
            );
        }
        let mut open = Script::new("'a");
        open.command();
        assert!(open.is_open);
    }

    #[test]
    fn a_bare_letter_of_the_script_s_own_ends_the_command() {
        for letter in "{}|&;<>#".chars() {
            assert_eq!(
                read(&format!("a {letter} b")),
                (vec!["a".to_owned()], Some(letter))
            );
        }
        assert_eq!(read("a#b"), (vec!["a#b".to_owned()], None));
        let stop = |text| Script::new(text).command().1.unwrap().is_apart;
        assert!(!stop("a<b") && stop("a <b") && stop("<b"));
    }

    #[test]
    fn what_only_the_script_knows_is_told_apart() {
        let known = |text| Script::new(text).word().unwrap().known;
        for text in ["$a", "${a}", "\"$a\"", "$1", "$?"] {
            assert_eq!(known(text), Known::Variable, "{text}");
        }
        for (text, expected) in [
            ("m=${M}M", "m=${M}M"),
            ("`cat x`", "$()"),
            ("$(cat (x) y)", "$()"),
            ("\"a=$(cat x)\"", "a=$()"),
        ] {
            let word = Script::new(text).word().unwrap();
            assert_eq!(word.known, Known::Part, "{text}");
            assert_eq!(word.text, expected);
        }
        for text in ["'$a'", "\\$a", "$", "$(a", "`a", "a"] {
            assert_eq!(known(text), Known::Whole, "{text}");
        }
    }
}
