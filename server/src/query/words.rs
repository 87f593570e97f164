/// The form in which text is searched: lower case, its words parted by one space, with a space
/// before the first.
///
/// So `" jim"` is found in `words("Jim Lahey")` only where a word begins. White space and ASCII
/// punctuation part words.
pub fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 1);
    for word in text.split(|c: char| c.is_whitespace() || c.is_ascii_punctuation()) {
        if !word.is_empty() {
            words.push(' ');
            words.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
    words
}
