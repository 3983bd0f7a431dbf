use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::json_tokens::Tokens;

/// JSON that is compared: numbers digit by digit, and objects whatever the order of their members.
pub(crate) enum JsonTree<'a> {
    /// A text, number or word, as it is written.
    Scalar(&'a [u8]),
    /// Sorted by name.
    Object(Vec<Member<'a>>),
    List {
        items: Vec<JsonTree<'a>>,
        has_order: bool,
    },
}

type Member<'a> = (&'a [u8], JsonTree<'a>);

impl<'a> JsonTree<'a> {
    /// `text` must be JSON that is not too deep.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        Self::next(&mut Tokens::of(text))
    }

    /// `None` at the end of a list or an object.
    fn next(tokens: &mut Tokens<'a>) -> Option<Self> {
        Some(match tokens.next()? {
            b"]" | b"}" => return None,
            b"[" => {
                Self::List { items: std::iter::from_fn(|| Self::next(tokens)).collect(), has_order: true }
            }
            b"{" => {
                let mut members: Vec<_> = std::iter::from_fn(|| Self::next_member(tokens)).collect();
                members.sort_by_key(|(name, _)| *name);
                Self::Object(members)
            }
            scalar => Self::Scalar(scalar),
        })
    }

    fn next_member(tokens: &mut Tokens<'a>) -> Option<Member<'a>> {
        let name = tokens.next().filter(|name| *name != b"}")?;
        Some((name, Self::next(tokens)?))
    }

    /// Whether both say the same. Lists from which the order was [taken](Self::forget_order) say it in any.
    pub(crate) fn is_same(&self, other: &JsonTree<'_>) -> bool {
        match (self, other) {
            (Self::Scalar(one), JsonTree::Scalar(other)) => one == other,
            (Self::Object(one), JsonTree::Object(other)) => {
                let mut members = one.iter().zip(other);
                one.len() == other.len()
                    && members.all(|(one, other)| one.0 == other.0 && one.1.is_same(&other.1))
            }
            (Self::List { items, has_order }, JsonTree::List { items: others, .. })
                if items.len() == others.len() =>
            {
                match has_order {
                    true => items.iter().zip(others).all(|(one, other)| one.is_same(other)),
                    false => Rest::of(others).has_all(items),
                }
            }
            _ => false,
        }
    }

    /// Takes the order from the lists that have another one in `again`: the same content, written once more.
    pub(crate) fn forget_order(&mut self, again: &JsonTree<'_>) {
        match (self, again) {
            (Self::Object(members), JsonTree::Object(again)) => {
                members.iter_mut().zip(again).for_each(|(one, again)| one.1.forget_order(&again.1));
            }
            (Self::List { items, has_order }, JsonTree::List { items: again, .. }) => {
                let mut places = items.iter().zip(again);
                if places.all(|(one, again)| one.essence() == again.essence()) {
                    items.iter_mut().zip(again).for_each(|(one, again)| one.forget_order(again));
                } else {
                    *has_order = false;
                    let mut rest = Rest::of(again);
                    items.iter_mut().for_each(|item| {
                        rest.take(item).into_iter().for_each(|again| item.forget_order(again));
                    });
                }
            }
            _ => {}
        }
    }

    /// The same number for the same items in whatever order.
    pub(crate) fn essence(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Scalar(text) => text.hash(&mut hasher),
            Self::Object(members) => {
                members.iter().for_each(|(name, value)| (name, value.essence()).hash(&mut hasher));
            }
            Self::List { items, .. } => {
                let mut items: Vec<_> = items.iter().map(Self::essence).collect();
                items.sort_unstable();
                items.hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

/// The items of a list that no item of another list has been found to be.
struct Rest<'t, 'a>(HashMap<u64, Vec<&'t JsonTree<'a>>>);

impl<'t, 'a> Rest<'t, 'a> {
    fn of(items: &'t [JsonTree<'a>]) -> Self {
        let mut by_essence = HashMap::<_, Vec<_>>::new();
        items.iter().for_each(|item| by_essence.entry(item.essence()).or_default().push(item));
        Self(by_essence)
    }

    fn has_all(mut self, items: &[JsonTree<'_>]) -> bool {
        items.iter().all(|item| self.take(item).is_some_and(|taken| item.is_same(taken)))
    }

    /// The same item, or one that has the same in another order.
    fn take(&mut self, item: &JsonTree<'_>) -> Option<&'t JsonTree<'a>> {
        let alike = self.0.get_mut(&item.essence()).filter(|alike| !alike.is_empty())?;
        let same = alike.iter().position(|other| item.is_same(other));
        Some(alike.swap_remove(same.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::JsonTree;

    fn is_same(one: &str, other: &str) -> bool {
        tree(one).is_same(&tree(other))
    }

    fn tree(text: &str) -> JsonTree<'_> {
        JsonTree::of(text).expect("JSON")
    }

    #[test]
    fn members_have_no_order_and_numbers_all_their_digits() {
        let one = r#"{"a":18446744073709551617,"b":[{"c":"}","d":null},[],{}]}"#;
        assert!(is_same(one, r#"{ "b": [{"d":null, "c":"}"}, [], {}], "a": 18446744073709551617 }"#));
        for other in [
            one.replace("617", "616"),
            one.replace("[],{}", "{},[]"),
            one.replace("\"d\"", "\"e\""),
            one.replace(",{}", ""),
        ] {
            assert!(!is_same(one, &other) && !is_same(&other, one), "{other}");
        }
    }

    /// Of `one`, and whether it is the same as `other` once it was seen to vary like that.
    fn is_same_once_varied(one: &str, again: &str, other: &str) -> bool {
        let mut tree = tree(one);
        tree.forget_order(&self::tree(again));
        tree.is_same(&self::tree(other))
    }

    #[test]
    fn only_a_list_that_was_seen_in_another_order_has_none() {
        for (one, again, same, other) in [
            (r#"[[1,2,3],[1,2,3]]"#, r#"[[1,2,3],[2,1,3]]"#, r#"[[1,2,3],[3,2,1]]"#, r#"[[3,2,1],[1,2,3]]"#),
            (r#"[[1,2],[3,4]]"#, r#"[[3,4],[1,2]]"#, r#"[[3,4],[1,2]]"#, r#"[[2,1],[3,4]]"#),
            (
                r#"[["a",[1,2]],["b",[3,4]]]"#,
                r#"[["b",[4,3]],["a",[2,1]]]"#,
                r#"[["b",[3,4]],["a",[2,1]]]"#,
                r#"[[[1,2],"a"],["b",[3,4]]]"#,
            ),
            (r#"[[1,2],[2,1],[3]]"#, r#"[[3],[2,1],[1,2]]"#, r#"[[2,1],[3],[1,2]]"#, r#"[[1,2],[1,2],[3]]"#),
            (r#"[1,1,2]"#, r#"[2,1,1]"#, r#"[1,2,1]"#, r#"[1,2,2]"#),
        ] {
            assert!(is_same_once_varied(one, again, same), "{one} and {same}");
            assert!(!is_same_once_varied(one, again, other), "{one} and {other}");
        }
    }
}
