//! Numbers that look random and are the same on every run: SplitMix64.

pub struct Random(u64);

impl Random {
    /// A sequence of its own for each purpose and number, so that a row does not depend on the rows before it.
    pub fn new(purpose: u64, number: u64) -> Self {
        let mut random = Self(purpose.wrapping_mul(0xD1B5_4A32_D192_ED03) ^ number);
        // Neighbouring seeds begin alike.
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to below the bound, which must not be 0. Not quite even, which matters to nobody here.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// So many hexadecimal digits in lower case.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text += &format!("{:016x}", self.next());
        }
        text.truncate(digits);
        text
    }

    /// A SHA-256 fingerprint as Proxmox shows it.
    pub fn fingerprint(&mut self) -> String {
        let bytes: Vec<_> = (0..32).map(|_| format!("{:02X}", self.below(256))).collect();
        bytes.join(":")
    }

    /// A time of the first half of 2026.
    pub fn time(&mut self) -> String {
        let (month, day, hour) = (1 + self.below(6), 1 + self.below(28), self.below(24));
        let (minute, second, micros) = (self.below(60), self.below(60), self.below(1_000_000));
        format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}
