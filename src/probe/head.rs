//! The buffers of one request, under ureq's trait. They begin small and grow with the head of the
//! answer: ureq's own are full-sized and zeroed from the start, which is most of what a healthy tick
//! would cost. The head that ureq reads is written anew by `answer_head`.

use ureq::unversioned::transport::Buffers;

/// Most heads are in with the first read, and so is a small body, whose unread rest would make the
/// kernel reset the connection.
const FIRST: usize = 2 * 1024;

#[derive(Debug)]
pub(super) struct HeadBuffers {
    /// `consumed..filled` is what was read and not yet used.
    input: Vec<u8>,
    consumed: usize,
    filled: usize,
    most: usize,
    output: Vec<u8>,
    output_size: usize,
    /// The last look at the input used some of it.
    progress: bool,
}

impl HeadBuffers {
    /// Room for `most` bytes of input at once. ureq fails when a line of the request is longer than
    /// `output_size`.
    pub(super) fn new(most: usize, output_size: usize) -> Self {
        let (input, output) = (Vec::new(), Vec::new());
        Self { input, consumed: 0, filled: 0, most, output, output_size, progress: false }
    }

    /// Puts `head` in the place of the first `used` bytes of the input.
    pub(super) fn replace_head(&mut self, used: usize, head: Vec<u8>) {
        let mut input = head;
        input.extend_from_slice(self.input().get(used..).unwrap_or_default());
        (self.consumed, self.filled) = (0, input.len());
        self.input = input;
    }

    fn make_room(&mut self) {
        self.input.copy_within(self.consumed..self.filled, 0);
        self.filled -= self.consumed;
        self.consumed = 0;
        if self.filled == self.input.len() && self.filled < self.most {
            let wanted = self.filled.saturating_mul(2).max(FIRST).min(self.most);
            self.input.resize(wanted, 0);
        }
    }
}

impl Buffers for HeadBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.output.resize(self.output_size, 0);
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.consumed..self.filled).unwrap_or_default()
    }

    /// Empty when `most` is reached.
    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make_room();
        self.input.get_mut(self.filled..).unwrap_or_default()
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled = (self.filled + amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.consumed = (self.consumed + amount).min(self.filled);
    }

    /// Writes the body of a request in parts.
    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_room();
        self.output.resize(self.output_size, 0);
        (self.input.get_mut(self.filled..).unwrap_or_default(), &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.progress && self.consumed < self.filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(buffers: &mut HeadBuffers, byte: u8) -> usize {
        let room = buffers.input_append_buf();
        room.fill(byte);
        let amount = room.len();
        buffers.input_appended(amount);
        amount
    }

    #[test]
    fn the_input_grows_up_to_its_bound_and_no_further() {
        let mut buffers = HeadBuffers::new(5000, 64);
        assert_eq!(buffers.input().len(), 0);
        let steps: Vec<usize> = (0..4).map(|_| put(&mut buffers, b'x')).collect();
        assert_eq!(steps, [2048, 2048, 904, 0]);
        assert_eq!(buffers.input(), [b'x'; 5000]);
    }

    #[test]
    fn a_head_that_was_written_anew_stands_before_the_rest() {
        let mut buffers = HeadBuffers::new(5000, 64);
        buffers.input_append_buf()[..8].copy_from_slice(b"headbody");
        buffers.input_appended(8);
        buffers.replace_head(4, b"a longer head ".to_vec());
        assert_eq!(buffers.input(), b"a longer head body");
        assert_eq!(put(&mut buffers, b'x'), 2048 - 18);
        assert!(buffers.input().starts_with(b"a longer head bodyx"));
    }

    #[test]
    fn what_was_consumed_makes_room_and_the_rest_stays_in_order() {
        let mut buffers = HeadBuffers::new(2048, 64);
        put(&mut buffers, b'a');
        assert!(!buffers.can_use_input(), "nothing was used of it yet");
        buffers.input_consume(2000);
        assert!(buffers.can_use_input());
        assert_eq!(put(&mut buffers, b'b'), 2000);
        assert_eq!(buffers.input(), [[b'a'; 48].as_slice(), &[b'b'; 2000]].concat());
        buffers.input_consume(0);
        assert!(!buffers.can_use_input(), "more must be read first");
        buffers.input_consume(2048);
        assert!(buffers.input().is_empty() && !buffers.can_use_input());
    }
}
