//! `$NAME`, `${NAME}` and `${NAME:=default}` in a topology file, which containerlab replaces before it reads the
//! YAML. An unset name without a default is an error here; containerlab would put nothing in its place.

/// The text with all variables replaced; else the line and the name of one that is not set.
pub(super) fn substitute(
    text: &str,
    value: impl Fn(&str) -> Option<String>,
) -> Result<String, (usize, String)> {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        replaced.push_str(before);
        let Some(variable) = Variable::parse(after) else {
            replaced.push('$');
            rest = after;
            continue;
        };
        let set = value(variable.name).filter(|value| !value.is_empty());
        let line = text[..text.len() - after.len()].matches('\n').count() + 1;
        let value = set.or_else(|| variable.default.map(str::to_owned));
        replaced.push_str(&value.ok_or_else(|| (line, variable.name.to_owned()))?);
        rest = &after[variable.length..];
    }
    replaced.push_str(rest);
    Ok(replaced)
}

struct Variable<'a> {
    name: &'a str,
    default: Option<&'a str>,
    /// Bytes after the dollar sign.
    length: usize,
}

impl<'a> Variable<'a> {
    /// What follows a dollar sign, if it is a variable: `$1` and `$(` are a shell's.
    fn parse(text: &'a str) -> Option<Self> {
        let Some(braced) = text.strip_prefix('{') else {
            let name = leading_name(text)?;
            return Some(Self { name, default: None, length: name.len() });
        };
        let inside = &braced[..braced.find('}')?];
        let name = leading_name(inside)?;
        let operator = &inside[name.len()..];
        let default = [":=", ":-", "=", "-"].into_iter().find_map(|mark| operator.strip_prefix(mark));
        (operator.is_empty() || default.is_some()).then_some(Self { name, default, length: inside.len() + 2 })
    }
}

fn leading_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    Some(&text[..end]).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::substitute;

    #[test]
    fn variables_are_replaced_as_containerlab_does() {
        let value = |name: &str| (name == "SET").then(|| "x:1".to_owned());
        for (text, expected) in [
            ("image: ${SET}", "image: x:1"),
            ("image: $SET/y", "image: x:1/y"),
            ("image: ${SET:=other}", "image: x:1"),
            ("image: ${UNSET:=sixedge:latest}", "image: sixedge:latest"),
            ("image: ${UNSET:-}!", "image: !"),
            ("awk '{print $1}' $(pwd) $", "awk '{print $1}' $(pwd) $"),
            ("${", "${"),
        ] {
            assert_eq!(substitute(text, value).as_deref(), Ok(expected));
        }
        assert_eq!(substitute("a\nb: $UNSET\n", value), Err((2, "UNSET".to_owned())));
    }
}
