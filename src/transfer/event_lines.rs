use super::event_line::write_check;
use super::gone_line;
use crate::line::chain::{Chain, hash_of_leaf};
use crate::line::event_line;
use crate::model::position::Position;
use crate::operate::links::LinkRef;

/// Some lines of a file, of events and of what is left of others.
pub(super) struct EventLines {
    pub(super) text: Vec<u8>,
    /// Those of events that are gone: the chain does not know their positions.
    pub(super) gone: Vec<u8>,
    /// Behind them.
    pub(super) chain: Chain,
    pub(super) events: u64,
    pub(super) last_position: Option<Position>,
}

impl EventLines {
    /// Makes them of what lies behind a chain, some at a time.
    pub(super) fn after(mut chain: Chain) -> impl FnMut(&mut dyn Iterator<Item = LinkRef<'_>>) -> Self {
        let mut usual = 0;
        move |links| {
            let text = Vec::with_capacity(usual);
            let mut lines = Self { text, gone: Vec::new(), chain, events: 0, last_position: None };
            links.for_each(|link| lines.add(link));
            (chain, usual) = (lines.chain, lines.text.len().max(usual));
            lines
        }
    }

    fn add(&mut self, link: LinkRef<'_>) {
        match link {
            LinkRef::Event(event) => {
                let begin = self.text.len();
                event_line::write(&mut self.text, event);
                self.chain.add(&self.text[begin..]);
                write_check(&mut self.text, &self.chain.check());
                self.events += 1;
            }
            LinkRef::Gone(leaf) => {
                let begin = self.text.len();
                gone_line::write(&mut self.text, leaf);
                self.gone.extend_from_slice(&self.text[begin..]);
                self.gone.push(b'\n');
                self.chain.add_hash(hash_of_leaf(leaf));
            }
        }
        self.text.push(b'\n');
        self.last_position = Some(link.position());
    }
}
